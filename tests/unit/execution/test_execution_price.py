"""Limit prices: touch, offset, spread, volatility, cap and tick; exact to the nano."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.config.execution import FixedSlippage, LimitStyle, NoSlippage
from tradingd.config.execution import SpreadVolatilitySlippage as Spread
from tradingd.domain.feed import Quote
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.execution.price import limit_price
from tradingd.execution.touch import Quotes, around, half_spread
from tradingd.execution.volatility import Closes

CENT = nanos("0.01")
BUY, SELL = Side.BUY, Side.SELL


def style(offset=5, spread=0.25, volatility=0.1, cap=50) -> LimitStyle:
    return LimitStyle(
        offset_bps=offset, spread_share=spread, volatility_share=volatility, cap_bps=cap
    )


@pytest.mark.parametrize(
    ("side", "bid", "ask", "sigma", "tick", "expected"),
    [
        pytest.param(BUY, "100", "100", 0.0, "0.01", "100.05", id="5 bps of 100"),
        pytest.param(SELL, "100", "100", 0.0, "0.01", "99.95", id="sale: below the bid"),
        pytest.param(BUY, "99.98", "100.02", 0.0, "0.01", "100.09", id="spread: 0.05001 + 0.01"),
        pytest.param(SELL, "99.98", "100.02", 0.0, "0.01", "99.92", id="sale: down to the tick"),
        pytest.param(BUY, "100", "100", 0.01, "0.01", "100.15", id="volatility: 0.1 x 1 %"),
        pytest.param(SELL, "100", "100", 0.01, "0.01", "99.85", id="sale in volatility"),
        pytest.param(BUY, "99.90", "100.10", 0.01, "0.01", "100.31", id="all three"),
        pytest.param(BUY, "100", "100", 0.1, "0.01", "100.5", id="capped at 50 bps"),
        pytest.param(SELL, "100", "100", 0.1, "0.01", "99.5", id="sale: capped"),
        pytest.param(BUY, "101", "101", 0.0, "0.01", "100.5", id="the market ran away: the cap"),
        pytest.param(SELL, "99", "99", 0.0, "0.01", "99.5", id="sale: ran away"),
        pytest.param(BUY, "100", "100", 0.0, "0.05", "100.05", id="on a wide tick already"),
        pytest.param(BUY, "100", "100.001", 0.0, "0.05", "100.1", id="rounded beyond the touch"),
        pytest.param(SELL, "99.999", "100", 0.0, "0.05", "99.9", id="sale: rounded beyond"),
        pytest.param(BUY, "100", "100", 0.1, "0.3", "100.5", id="cap between ticks: back inside"),
        pytest.param(BUY, "100", "100", 0.0, "0.0001", "100.05", id="a sub-penny tick"),
    ],
)
def test_a_limit_lies_beyond_the_touch_and_inside_the_cap(
    side, bid, ask, sigma, tick, expected
) -> None:
    found = limit_price(
        style(),
        side,
        bid=nanos(bid),
        ask=nanos(ask),
        sigma=sigma,
        mark=nanos("100"),
        tick=nanos(tick),
    )
    assert found == nanos(expected)


@given(
    side=st.sampled_from([BUY, SELL]),
    bid=st.integers(nanos("0.0001"), nanos(5000)),
    width=st.integers(0, nanos(10)),
    sigma=st.floats(0, 0.2),
    mark=st.integers(nanos("0.01"), nanos(5000)),
    tick=st.sampled_from([nanos("0.0001"), CENT, nanos("0.05"), nanos("0.3")]),
    cap=st.sampled_from([0, 1, 50, 10_000]),
)
def test_a_limit_is_on_the_tick_never_beyond_the_cap_and_takes_the_touch_inside_it(
    side, bid, width, sigma, mark, tick, cap
) -> None:
    ask = bid + width
    found = limit_price(style(cap=cap), side, bid=bid, ask=ask, sigma=sigma, mark=mark, tick=tick)
    assert found % tick == 0
    assert found >= tick
    room = mark * cap
    if side is BUY:
        assert found == tick or found * 10_000 <= mark * 10_000 + room
        inside = (mark * 10_000 + room) // (10_000 * tick) * tick
        assert found >= min(ask, inside)
    else:
        assert found == tick or found * 10_000 >= mark * 10_000 - room
        inside = -(-(mark * 10_000 - room) // (10_000 * tick)) * tick
        assert found <= max(bid, inside, tick)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_wider_spread_and_more_volatility_give_more_room(side: Side) -> None:
    def distance(width: int, sigma: float) -> int:
        middle = nanos(100)
        bid, ask = middle - width, middle + width
        found = limit_price(
            style(cap=5_000), side, bid=bid, ask=ask, sigma=sigma, mark=middle, tick=1
        )
        return (found - (ask if side is BUY else bid)) * side.sign

    widths = [distance(width, 0.0) for width in (0, CENT, 5 * CENT, 20 * CENT)]
    sigmas = [distance(CENT, sigma) for sigma in (0.0, 0.001, 0.01, 0.05)]
    for series in (widths, sigmas):
        assert all(one < two for one, two in itertools.pairwise(series))


def test_the_deviation_is_that_of_the_last_returns_and_survives_a_split() -> None:
    closes = Closes(3)
    assert (closes.last("A"), closes.sigma("A")) == (0, 0.0)
    for close in (50, 100, 110, 99, 99):
        closes.observe("A", nanos(close))
    # Returns 10 %, -10 %, 0 %: the first, 100 %, is forgotten.
    assert closes.sigma("A") == pytest.approx(0.1)
    before = closes.sigma("A")
    closes.split("A", 2, 1)
    assert closes.last("A") == nanos("49.5")
    assert closes.sigma("A") == pytest.approx(before)


def test_a_close_stands_for_a_touch_of_half_a_spread_to_either_side() -> None:
    assert around(nanos(100), 1.0) == (nanos("99.99"), nanos("100.01"))
    assert around(nanos(100), 0.0) == (nanos(100), nanos(100))
    assert around(3, 1.0) == (2, 4)


def test_half_the_spread_is_that_of_the_cost_model() -> None:
    assert half_spread(Spread(half_spread_bps=4)) == 4
    assert half_spread(FixedSlippage(basis_points=2)) == 2
    assert half_spread(NoSlippage()) == 0


def test_quotes_tell_a_touch_until_they_are_old_crossed_or_one_sided() -> None:
    now = [0]
    quotes = Quotes(lambda: now[0], max_age_seconds=10)

    def take(bid: int, ask: int, ts: int) -> None:
        quotes.take(Quote("A", bid, ask, 1, 1, ts))

    assert quotes.touch("A") is None
    take(99, 101, 5)
    take(1, 2, 4)
    now[0] = 5 + 10_000_000_000 - 1
    assert quotes.touch("A") == (99, 101)
    now[0] += 1
    assert quotes.touch("A") is None
    take(102, 101, now[0])
    assert quotes.touch("A") is None
    take(0, 101, now[0])
    assert quotes.touch("A") is None
