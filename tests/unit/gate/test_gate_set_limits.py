"""Limits may change while the gate works."""

import datetime as dt

import msgspec

from tradingd.config.risk import RiskConfig
from tradingd.domain.market import ReferenceData
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate

OPEN = RiskConfig(
    drawdown_percent=100_000,
    daily_loss_percent=100_000,
    risk_per_trade_percent=100_000,
    open_risk_percent=100_000,
    position_percent=100_000,
    gross_percent=100_000,
    collar_percent=100_000,
    max_mark_age_seconds=10_000_000,
    no_trade_open_minutes=0,
    no_trade_close_minutes=0,
    require_stop=False,
    margin_regime="none",
)


def _entry(number: int) -> OrderIntent:
    return OrderIntent(
        order_id=f"O-{number}",
        strategy="s",
        symbol="SPY",
        side=Side.BUY,
        quantity=10,
        type=OrderType.LIMIT,
        price=100 * SCALE,
        purpose=Purpose.ENTRY,
        reason="test",
        ts=1,
    )


def test_a_new_limit_denies_the_next_order_and_the_counts_go_on() -> None:
    book = Book(10_000 * SCALE)
    book.mark("SPY", 100 * SCALE, 1)
    gate = Gate(OPEN, book, reference=ReferenceData(), account="margin", bar_seconds=60)
    first = gate.check(_entry(1), 1, None)
    assert {denial.limit for denial in first.denials} <= {"no_trade_open_minutes"}

    # 10 shares at 100 are 1,000 USD: 10 % of the account. 9.99 % denies, 10 % passes.
    gate.set_limits(msgspec.structs.replace(OPEN, position_percent=9.99))
    assert "position_percent" in {one.limit for one in gate.check(_entry(2), 1, None).denials}
    gate.set_limits(msgspec.structs.replace(OPEN, position_percent=10))
    assert "position_percent" not in {one.limit for one in gate.check(_entry(3), 1, None).denials}

    checked, denied = gate.count()["position_percent"]
    assert (checked, denied) == (3, 1)
    assert gate.limits.position_percent == 10


def test_the_facts_of_a_new_day_hold_from_the_next_order_and_the_counts_go_on() -> None:
    book = Book(10_000 * SCALE)
    book.mark("SPY", 100 * SCALE, 1)
    out = ReferenceData(members={})
    gate = Gate(OPEN, book, reference=out, account="margin", bar_seconds=60)
    assert "outside_universe" in {one.limit for one in gate.check(_entry(1), 1, None).denials}
    gate.set_reference(ReferenceData(members={"SPY": ((dt.date.min, dt.date.max),)}))
    assert gate.check(_entry(2), 1, None).allowed
    # Other limits of another time do not bring the old facts back.
    gate.set_limits(msgspec.structs.replace(OPEN, position_percent=50))
    assert gate.check(_entry(3), 1, None).allowed
    assert gate.count()["outside_universe"] == (3, 1)


def test_a_symbol_that_is_watched_for_a_model_is_denied_whatever_is_configured() -> None:
    book = Book(10_000 * SCALE)
    book.mark("SPY", 100 * SCALE, 1)
    allow = msgspec.structs.replace(OPEN, outside_universe="allow")
    watched = ReferenceData(watched=frozenset({"SPY"}))
    gate = Gate(allow, book, reference=watched, account="margin", bar_seconds=60)
    (denial,) = gate.check(_entry(1), 1, None).denials
    assert denial.limit == "outside_universe"
    assert "SPY is outside the universe" in denial.explanation
    gate.set_reference(ReferenceData(watched=frozenset({"QQQ"})))
    assert gate.check(_entry(2), 1, None).allowed
