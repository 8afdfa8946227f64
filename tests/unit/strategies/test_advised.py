"""A model may take from an entry, never add to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tradingd.config.strategy import ModelUse
from tradingd.domain.advice import Abstention, Advice
from tradingd.domain.orders import Side
from tradingd.strategies.advised import advised, share_of
from tradingd.strategies.decision import Entry

LONG = Entry(side=Side.BUY, stop=90.0, reason="a pull-back", strength=30.0)
SHORT = Entry(side=Side.SELL, stop=110.0, reason="a stretch", strength=2.0)
WAITS = ModelUse()


def says(probability: float | None, **more: object):
    def ask(symbol: str) -> Advice:
        return Advice(symbol=symbol, ts=1, model="swing@3", probability=probability, **more)

    return ask


def abstains(symbol: str) -> Advice:
    return Advice(symbol=symbol, ts=1, abstention=Abstention.NO_ROW, why="no row")


def test_without_a_model_the_rules_stand_and_nobody_is_asked() -> None:
    found = advised(None, lambda _: pytest.fail("asked"), "AAA", LONG, 100.0)
    assert found is not None
    assert (found.entry, found.share, found.planned_stop) == (LONG, 1.0, 90.0)


def test_a_model_that_is_not_sure_enough_makes_no_entry() -> None:
    assert advised(WAITS, says(0.549), "AAA", LONG, 100.0) is None
    assert advised(WAITS, says(0.55), "AAA", LONG, 100.0) is not None


def test_a_short_needs_the_probability_of_a_fall() -> None:
    assert advised(WAITS, says(0.6), "AAA", SHORT, 100.0) is None
    assert advised(WAITS, says(0.4), "AAA", SHORT, 100.0) is not None


def test_a_meta_label_is_about_the_signal_whatever_its_side() -> None:
    assert advised(WAITS, says(0.6, about_signal=True), "AAA", SHORT, 100.0) is not None
    assert advised(WAITS, says(0.4, about_signal=True), "AAA", SHORT, 100.0) is None


def test_the_reason_names_the_model_and_its_probability() -> None:
    found = advised(WAITS, says(0.62), "AAA", LONG, 100.0)
    assert found is not None
    assert found.entry.reason == "a pull-back; model swing@3: probability 0.620 (at least 0.55)"


def test_an_abstaining_model_waits_or_leaves_it_to_the_rules_and_says_so() -> None:
    assert advised(WAITS, abstains, "AAA", LONG, 100.0) is None
    assert advised(WAITS, says(None), "AAA", LONG, 100.0) is None
    found = advised(ModelUse(when_abstaining="trade"), abstains, "AAA", LONG, 100.0)
    assert found is not None
    assert (found.entry.stop, found.share) == (90.0, 1.0)
    assert "no_row" in found.entry.reason
    against = advised(ModelUse(when_abstaining="trade"), says(0.1), "AAA", LONG, 100.0)
    assert against is None


@settings(derandomize=True, deadline=None)
@given(
    least=some.floats(0, 1),
    sure=some.floats(0, 1),
    close=some.floats(1, 1e4),
    distance=some.floats(0.001, 0.9),
    wanted=some.integers(0, 10**6),
    long=some.booleans(),
)
def test_never_more_shares_and_never_a_wider_stop(
    least: float, sure: float, close: float, distance: float, wanted: int, long: bool
) -> None:
    side = Side.BUY if long else Side.SELL
    stop = close * (1 - side.sign * distance)
    entry = Entry(side=side, stop=stop, reason="r")
    use = ModelUse(min_confidence=least, size_by_confidence=True, tighten_stops=True)
    found = advised(use, says(sure if long else 1 - sure), "AAA", entry, close)
    if found is None:
        assert sure < least or not long
        return
    assert 0 <= found.shares(wanted) <= wanted
    assert found.planned_stop == stop
    tolerance = 1e-12 * close
    assert abs(found.entry.stop - close) <= abs(stop - close) + tolerance
    assert (found.entry.stop - close) * side.sign <= 0.0


def test_surer_means_more_of_the_size_and_more_of_the_distance() -> None:
    use = ModelUse(min_confidence=0.5, size_by_confidence=True, tighten_stops=True)
    less = advised(use, says(0.5), "AAA", LONG, 100.0)
    more = advised(use, says(0.9), "AAA", LONG, 100.0)
    assert less is not None
    assert more is not None
    assert (less.shares(100), more.shares(100)) == (50, 90)
    assert (less.entry.stop, more.entry.stop) == (95.0, 91.0)
    assert share_of(1.0, 1.0) == 1.0
