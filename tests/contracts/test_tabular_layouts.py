from pathlib import Path

import msgspec
import pytest

from tradingd.sources.tabular.layouts import LAYOUTS, contract

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


@pytest.mark.parametrize("data", LAYOUTS)
def test_the_published_layout_is_the_one_that_is_read(data: str) -> None:
    published = (CONTRACTS / f"tabular-{data}.json").read_bytes()
    assert published == msgspec.json.format(msgspec.json.encode(contract(data)), indent=2) + b"\n"
