"""The example files that are installed beside the units compose as an instance's file."""

import shutil
from pathlib import Path

import pytest

from tradingd.config.depth import DatabentoDepth
from tradingd.config.load import load

EXAMPLES = Path(__file__).resolve().parents[3] / "systemd" / "examples"


@pytest.mark.parametrize("name", ["books", "live"])
def test_an_installed_example_is_a_configuration(name: str, tmp_path: Path) -> None:
    shutil.copyfile(EXAMPLES / f"{name}.yaml", tmp_path / "example.yaml")
    stated = load(overlay=tmp_path, instance="example").tree
    assert stated != load(overlay=tmp_path).tree


def test_the_example_of_order_books_records_and_fetches(tmp_path: Path) -> None:
    shutil.copyfile(EXAMPLES / "books.yaml", tmp_path / "example.yaml")
    config = load(["mode=paper"], overlay=tmp_path, instance="example").config
    assert config.record.enabled
    assert config.record.symbols == ("AAPL", "FROG")
    assert config.backfill.enabled
    assert isinstance(config.depth, DatabentoDepth)
