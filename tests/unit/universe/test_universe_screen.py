"""Clauses, ranks and tiers."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from tradingd.config.universe import Screen, TieredUniverse
from tradingd.universe.facts import Facts
from tradingd.universe.screen import NAMES, failed, judge
from tradingd.universe.tiers import tiers

DAY = dt.date(2024, 1, 3)
GOOD = Facts(
    symbol="GOOD",
    day=DAY,
    history=300,
    traded_percent=100,
    price=50.0,
    dollar_volume=1e9,
    volume=2e7,
    spread_bps=3.0,
    spread_source="quotes",
    volatility_percent=25.0,
    market_cap=1e10,
    earnings=dt.date(2024, 1, 25),
    earnings_sessions=15,
    member=True,
    borrowable=1_000,
)
STRICT = TieredUniverse(
    exclude=("BAD",),
    screen=Screen(min_volume=1_000, max_volatility_percent=60, shortable=True),
)


def facts(**changes: Any) -> Facts:
    return msgspec.structs.replace(GOOD, **changes)


# clause -> what just passes and what just fails it under STRICT
EDGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "excluded": ({"symbol": "BADE"}, {"symbol": "BAD"}),
    "membership": ({"member": True}, {"member": False}),
    "listed": ({"delisted": False}, {"delisted": True}),
    "traded": ({"traded_percent": 90.0}, {"traded_percent": 89.9}),
    "history": ({"history": 63}, {"history": 62}),
    "price": ({"price": 500.0}, {"price": 500.01}),
    "dollar_volume": ({"dollar_volume": 5e6}, {"dollar_volume": 4_999_999.0}),
    "volume": ({"volume": 1_000.0}, {"volume": 999.0}),
    "spread": ({"spread_bps": 49.9}, {"spread_bps": 50.0}),
    "volatility": ({"volatility_percent": 60.0}, {"volatility_percent": 60.1}),
    "market_cap": ({"market_cap": 100_000_001.0}, {"market_cap": 1e8}),
    "earnings": ({"earnings_sessions": -3}, {"earnings_sessions": -2}),
    "shortable": ({"borrowable": 1}, {"borrowable": 0}),
}
each = pytest.mark.parametrize("name", EDGES)


def test_every_clause_has_its_edges_here() -> None:
    assert set(EDGES) == set(NAMES)
    assert {one.name for one in judge(GOOD, STRICT)} == set(NAMES)


@each
def test_just_inside_a_clause_passes(name: str) -> None:
    assert failed(judge(facts(**EDGES[name][0]), STRICT)) == ()


@each
def test_just_outside_a_clause_fails_it_alone_and_says_so(name: str) -> None:
    clauses = judge(facts(**EDGES[name][1]), STRICT)
    assert failed(clauses) == (name,)
    (clause,) = [one for one in clauses if one.name == name]
    assert clause.value != clause.bound


@pytest.mark.parametrize("price", [4.99, None])
def test_too_cheap_or_without_a_price_is_out(price: float | None) -> None:
    assert failed(judge(facts(price=price), TieredUniverse())) == ("price",)


@pytest.mark.parametrize("unknown", ["spread_bps", "market_cap", "earnings_sessions"])
def test_what_is_not_known_is_held_against_nobody_and_shown(unknown: str) -> None:
    clauses = judge(facts(**{unknown: None}), TieredUniverse())
    assert failed(clauses) == ()
    assert [one.passed for one in clauses].count(None) == 1


def test_without_an_index_nobody_is_asked_for_membership() -> None:
    assert "membership" not in {one.name for one in judge(facts(member=None), TieredUniverse())}


def test_an_estimated_spread_is_marked() -> None:
    (clause,) = [
        one
        for one in judge(facts(spread_source="corwin_schultz"), TieredUniverse())
        if one.name == "spread"
    ]
    assert "estimated" in clause.value


def test_tiers_are_cut_by_dollar_volume_and_the_rejected_have_none() -> None:
    config = TieredUniverse(core_size=2, extended_size=3)
    some = [facts(symbol=name, dollar_volume=volume) for name, volume in VOLUMES.items()]
    rows = tiers([*some, facts(symbol="TINY", dollar_volume=9e9, price=1.0)], config)
    assert [(one.symbol, one.tier, one.rank) for one in rows] == [
        ("C", "core", 1),
        ("A", "core", 2),
        ("B", "extended", 3),
        ("D", "", 4),
        ("TINY", "", None),
    ]
    assert rows[-1].rejected == ("price",)


VOLUMES = {"D": 1e7, "B": 5e7, "A": 5e7, "C": 9e7}
"""A and B are equal: ranked by name."""
