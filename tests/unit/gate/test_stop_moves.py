"""A protective stop may come closer freely; moved away it is held to the limits on risk."""

import pytest

from tradingd.config.risk import RiskConfig
from tradingd.domain.market import ReferenceData
from tradingd.domain.money import nanos
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate

CASH = nanos(100_000)


def gate_holding(side: Side, **limits: float) -> Gate:
    """A gate over 100 shares entered at 100 with the stop four dollars away: 400 at risk."""
    book = Book(CASH)
    book.mark("AAA", nanos(100), 1)
    book.fill(
        Fill(
            order_id="O-1",
            strategy="s",
            symbol="AAA",
            side=side,
            quantity=100,
            price=nanos(100),
            commission=0,
            slippage=0,
            purpose=Purpose.ENTRY,
            ts=1,
        )
    )
    book.set_stop("AAA", nanos(100) - side.sign * nanos(4))
    return Gate(
        RiskConfig(**limits), book, reference=ReferenceData(), account="margin", bar_seconds=60
    )


# 100 x 5 = 500 are 0.5 % of 100,000; 100 x 5.01 = 501.
@pytest.mark.parametrize("limit", ["risk_per_trade_percent", "open_risk_percent"])
@pytest.mark.parametrize(("side", "away"), [(Side.BUY, -1), (Side.SELL, 1)], ids=["long", "short"])
def test_a_stop_moves_away_to_the_limit_and_no_further(limit, side, away):
    wide = {"risk_per_trade_percent": 100.0, "open_risk_percent": 100.0, limit: 0.5}
    gate = gate_holding(side, **wide)
    assert gate.check_stop("AAA", nanos(100) + away * nanos(5)).allowed
    denials = gate.check_stop("AAA", nanos(100) + away * nanos("5.01")).denials
    assert [denial.limit for denial in denials] == [limit]
    assert gate.count()[limit][1] == 1


def test_a_stop_that_comes_closer_passes_even_when_the_limit_is_broken_already():
    gate = gate_holding(Side.BUY, risk_per_trade_percent=0.1, open_risk_percent=0.1)
    assert gate.check_stop("AAA", nanos(97)).allowed


def test_the_stop_of_a_symbol_that_is_not_held_is_nobody_s_risk():
    assert gate_holding(Side.BUY).check_stop("BBB", nanos(1)).allowed
