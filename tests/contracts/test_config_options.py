"""Every option of every group composes, decodes and says what it is."""

from pathlib import Path

import pytest

from tradingd.config.diff import leaves
from tradingd.config.keys import describe
from tradingd.config.load import Loaded, load
from tradingd.config.overrides import GROUPS
from tradingd.config.trees import options, packaged_tree
from tradingd.kits.failure import ExitCode, Failure

OPTIONS = [(group, name) for group in GROUPS for name in options(group, (packaged_tree(),))]

STATED = {
    ("mode", "live"): ["mode.account=U1234567", "broker=alpaca"],
    ("source", "lean"): ["source.path=/data/lean"],
    ("source", "tabular"): ["source.path=/data/bars.csv"],
    ("backfill", "folder"): ["backfill.provider.path=/data/dbn"],
    ("depth", "replay"): ["depth.path=/data/books/FROG.dbn.zst"],
    ("universe", "symbols"): ["universe.symbols=[SPY]"],
    ("strategy", "custom"): ["strategy.path=my_package.mine:Mine"],
    ("model", "file"): ["model.manifest=/data/model.json"],
    ("model", "predictions"): ["model.path=/data/predictions.parquet"],
}
"""What a person must say with an option, because no default can be right."""

FREE = (("strategy", "params"), ("features", "declared"))
"""What the named class describes, not the configuration."""


def _load(group: str, option: str, overlay: Path) -> Loaded:
    return load([f"{group}={option}", *STATED.get((group, option), [])], overlay=overlay)


def test_every_group_offers_options() -> None:
    assert {group for group, _ in OPTIONS} == set(GROUPS)


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{g}={o}" for g, o in OPTIONS])
def test_the_option_composes_and_decodes(group: str, option: str, tmp_path: Path) -> None:
    loaded = _load(group, option, tmp_path)
    assert getattr(loaded.config, group) is not None


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{g}={o}" for g, o in OPTIONS])
def test_the_option_says_in_its_first_line_what_it_is(group: str, option: str) -> None:
    text = (packaged_tree() / group / f"{option}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.partition("\n")[0]) > 20


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{g}={o}" for g, o in OPTIONS])
def test_every_key_of_the_option_has_a_description(group: str, option: str, tmp_path: Path) -> None:
    tree = _load(group, option, tmp_path).tree
    undescribed = [
        ".".join(path)
        for path, _ in leaves(tree)
        if path[-1] != "kind" and path[:2] not in FREE
        if not (key := describe(path, tree)) or not key.description
    ]
    assert undescribed == []


@pytest.mark.parametrize(
    ("group", "option"), sorted(STATED), ids=[f"{g}={o}" for g, o in sorted(STATED)]
)
def test_the_option_without_its_mandatory_value_is_refused(
    group: str, option: str, tmp_path: Path
) -> None:
    with pytest.raises(Failure) as refused:
        load([f"{group}={option}"], overlay=tmp_path)
    assert refused.value.code is ExitCode.CONFIG
    assert f"conf/{group}/{option}.yaml" in refused.value.where
    assert "is missing" in refused.value.what
