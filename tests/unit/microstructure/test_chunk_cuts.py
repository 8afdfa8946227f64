"""Wherever chunks are cut, the whole report is the same; and no number in it is NaN."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.microstructure.random_books import ListSource, random_books
from tradingd.microstructure.report import DepthReport, analyse

CALM = settings(max_examples=25, derandomize=True, deadline=None)


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key in value for k, v in leaves(value[key], f"{path}.{key}").items()}
    if isinstance(value, list | tuple):
        return {k: v for n, e in enumerate(value) for k, v in leaves(e, f"{path}.{n}").items()}
    return {path: value}


def told(report: DepthReport) -> dict[str, Any]:
    return leaves(msgspec.to_builtins(report))


def same(one: DepthReport, other: DepthReport) -> None:
    first, second = told(one), told(other)
    assert first.keys() == second.keys()
    for path, value in first.items():
        if isinstance(value, float) and isinstance(second[path], float):
            # Sums in another order differ in their last digits.
            assert second[path] == pytest.approx(value, rel=1e-7, abs=1e-9), path
        else:
            assert second[path] == value, path


@CALM
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 500),
    tidy=st.booleans(),
    cuts=st.lists(st.integers(0, 500), max_size=12),
)
def test_the_report_does_not_depend_on_how_chunks_are_cut(
    seed: int, rows: int, tidy: bool, cuts: list[int]
) -> None:
    book, trades = random_books(seed, rows, tidy=tidy)
    cuts = [min(cut, rows) for cut in cuts]
    whole = analyse(ListSource(book, trades), horizons_s=(1, 10))
    same(whole, analyse(ListSource(book, trades, cuts), horizons_s=(1, 10)))


@pytest.mark.parametrize("tidy", [True, False], ids=["tidy", "untidy"])
def test_chunks_of_single_states_make_the_same_report(tidy: bool) -> None:
    book, trades = random_books(11, 400, tidy=tidy)
    whole = analyse(ListSource(book, trades), horizons_s=(1, 10))
    same(whole, analyse(ListSource(book, trades, list(range(1, 400))), horizons_s=(1, 10)))


@pytest.mark.parametrize("rows", [1, 2, 30, 400])
@pytest.mark.parametrize("tidy", [True, False], ids=["tidy", "untidy"])
def test_what_cannot_be_stated_is_none_with_a_reason_never_nan(rows: int, tidy: bool) -> None:
    book, trades = random_books(5, rows, tidy=tidy)
    for source in (ListSource(book, trades), ListSource(book, None)):
        report = analyse(source, horizons_s=(1, 10, 60))
        numbers = [value for value in told(report).values() if isinstance(value, float)]
        assert not [value for value in numbers if not math.isfinite(value)]
        assert msgspec.json.decode(msgspec.json.encode(report), type=DepthReport) is not None


def test_a_source_without_trades_says_so_in_every_measure_of_trades() -> None:
    book, _ = random_books(5, 200, tidy=True)
    report = analyse(ListSource(book, None))
    for part in (report.resilience, report.profile, report.vpin, report.kyle, report.cost):
        assert part.reason == "the source has no trades"
    assert report.impact.horizons[0].trade_imbalance.reason == "the source has no trades"
    assert report.impact.horizons[0].contemporaneous.reason == ""


def test_a_source_without_a_usable_state_is_reported_not_refused() -> None:
    book, trades = random_books(5, 50)
    locked = msgspec.structs.replace(book, ask_px=book.bid_px)
    report = analyse(ListSource(locked, trades))
    assert report.counts.usable == 0
    assert report.spread.reason
    assert report.spread.mean_ticks is None
    assert report.impact.reason == "no state has a bid below an ask"


def test_crossed_locked_and_one_sided_states_are_counted_and_left_out_of_the_spread() -> None:
    book, _ = random_books(2, 6, levels=1, tidy=True)
    bid = np.array([100, 110, 105, 0, 100, 100], np.int32) * 100
    ask = np.array([105, 105, 105, 105, 0, 104], np.int32) * 100
    ask[4] = 2**31 - 1
    ts = book.ts[0] + np.arange(6) * 1_000_000_000
    book = msgspec.structs.replace(book, ts=ts, bid_px=(bid,), ask_px=(ask,))
    report = analyse(ListSource(book, None))
    counts = report.counts
    assert (counts.crossed, counts.locked, counts.no_bid, counts.no_ask) == (1, 1, 1, 1)
    assert (counts.states, counts.usable) == (6, 2)
    # The first state stood one second at 5 ticks; the last stood for no known time.
    assert report.spread.seconds == 1
    assert report.spread.mean_ticks == 5


def test_fewer_levels_than_the_source_has_can_be_used() -> None:
    book, trades = random_books(8, 300, levels=4, tidy=True)
    report = analyse(ListSource(book, trades), levels=2, horizons_s=(1,))
    assert report.source.levels_used == 2
    assert len(report.flow.total) == len(report.depth.levels) == 2
    with pytest.raises(ValueError, match="1 at least"):
        analyse(ListSource(book, trades), levels=0)
