"""The hash changes with everything that decides a result, and with nothing else."""

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradingd.config.diff import leaves
from tradingd.config.environment import Environment
from tradingd.config.identity import LOCATIONS, OBSERVERS, config_hash, effective_tree
from tradingd.config.load import Sources, decode, load

ROUTE = ("mode=backtest", "strategy=intraday_mean_reversion", "broker=alpaca")
TREE = Sources(ROUTE, None, Environment(values={})).load().tree


def _other(value: Any) -> Any:
    """Return a value of the same kind that differs."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case None:
            return "2012-01-03"
        case list():
            return [*value, "SPY"]
        case _:
            return value + "x"


@pytest.mark.parametrize("path", [path for path, _ in leaves(TREE)], ids=".".join)
def test_a_changed_leaf_changes_the_hash_unless_it_decides_no_result(path: tuple[str, ...]) -> None:
    tree = copy.deepcopy(TREE)
    part = tree
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = _other(part[path[-1]])
    observed = path in LOCATIONS or (path[0] in OBSERVERS and path != ("depth", "kind"))
    assert (config_hash(tree) == config_hash(TREE)) == observed


def test_order_books_decide_the_results_of_a_backtest_and_of_nothing_else() -> None:
    def books(mode: str, path: str, *more: str) -> str:
        return load([f"mode={mode}", "depth=replay", f"depth.path={path}", *more]).hash

    assert books("backtest", "here") != load(["mode=backtest"]).hash
    assert books("paper", "here") == load(["mode=paper"]).hash
    # Which books those are is the data's fingerprint; the pace is a replay's.
    assert books("backtest", "here") == books("backtest", "there", "depth.speed=9")


def test_only_three_keys_are_locations() -> None:
    assert LOCATIONS == (("store", "root"), ("store", "level2"), ("mode", "results"))


def test_the_order_of_overrides_does_not_matter() -> None:
    one = load(["strategy=ema_cross", "strategy.fast=5", "seed=9", "risk=open"])
    other = load(["risk=open", "seed=9", "strategy.fast=5", "strategy=ema_cross"])
    assert one.hash == other.hash


def test_overlay_and_command_line_lead_to_the_same_hash(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("seed: 9\nrisk: {gross_percent: 50}\n")
    assert load(overlay=tmp_path).hash == load(["seed=9", "risk.gross_percent=50.0"]).hash


def test_stating_a_default_does_not_change_the_hash() -> None:
    assert load(["strategy.fast=20", "execution.latency_ms=250"]).hash == load().hash


@pytest.mark.parametrize("cash", ["100000", "100000.00", "1e5", "'100000.0'"])
def test_the_spelling_of_an_amount_does_not_matter(cash: str) -> None:
    assert load(["mode=backtest", f"mode.cash={cash}"]).hash == load(["mode=backtest"]).hash


def test_amounts_keep_every_digit() -> None:
    tree = copy.deepcopy(TREE)
    tree["mode"]["cash"] = "100000.000000001"
    config = decode(tree)
    assert config.mode.cash == Decimal("100000.000000001")  # type: ignore[union-attr]
    assert effective_tree(config)["mode"]["cash"] == "100000.000000001"


def test_negative_zero_is_zero() -> None:
    assert load(["strategy.adx_min=-0.0"]).hash == load(["strategy.adx_min=0"]).hash


def test_the_effective_tree_decodes_to_the_same_configuration() -> None:
    loaded = load([*ROUTE, "mode.start=2012-01-03"])
    assert decode(loaded.tree) == loaded.config
