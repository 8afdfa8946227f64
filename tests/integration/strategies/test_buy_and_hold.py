"""Buy and hold enters every symbol once, on its first bar, and stays."""

import datetime as dt

import pytest

from tests.integration.strategies.strategy_kit import CALENDAR, MemoryFeed, bars_table, run
from tradingd.config.load import load
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import BuyAndHold
from tradingd.domain.market import Resolution

STAMPS = [one.close_ns for one in CALENDAR.between(dt.date(2021, 3, 1), dt.date(2021, 3, 12))]


@pytest.fixture(scope="module")
def open_risk() -> RiskConfig:
    return load(["risk=open"]).config.risk


def feed() -> MemoryFeed:
    late = bars_table("LATE", STAMPS[4:], [20.0] * 6)
    return MemoryFeed([bars_table("AAA", STAMPS, [30.0] * 10), late], Resolution.DAY)


def test_the_starting_equity_is_divided_equally_and_late_symbols_get_their_part(open_risk):
    ran = run(BuyAndHold(), feed(), risk=open_risk)
    # 100,000 / 2 = 50,000; / 30 = 1,666.67 and / 20 = 2,500
    assert [(one.symbol, one.side, one.quantity) for one in ran.tables.orders] == [
        ("AAA", "BUY", 1_666),
        ("LATE", "BUY", 2_500),
    ]
    assert [one.ts_submitted for one in ran.tables.orders] == [STAMPS[0], STAMPS[4]]
    assert ran.tables.orders[0].reason == (
        "first bar, close 30.00: hold 1666 shares (1/2 of 100000.00 USD)"
    )
    assert ran.outcome.open_positions == 2


def test_a_stated_quantity_can_be_sold_short(open_risk):
    ran = run(BuyAndHold(quantity=7, short=True), feed(), risk=open_risk)
    assert {(one.side, one.quantity) for one in ran.tables.orders} == {("SELL", 7)}
    assert "(fixed quantity)" in ran.tables.orders[0].reason


def test_a_share_that_costs_more_than_its_part_is_left_out(open_risk):
    ran = run(BuyAndHold(), feed(), risk=open_risk, cash=50)
    # 25 USD for each: no share of AAA at 30, one of LATE at 20
    assert [(one.symbol, one.quantity) for one in ran.tables.orders] == [("LATE", 1)]
