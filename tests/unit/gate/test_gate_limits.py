"""Every limit just below, at and just above; equity is 100,000 and AAA stands at 100 throughout."""

import datetime as dt

import pytest

from tests.unit.gate.gate_bench import DAY, MINUTE, NOW, SESSION, Case, buy, filled, sell, usd
from tradingd.config.risk import RiskConfig
from tradingd.domain.market import NANOSECONDS, ReferenceData
from tradingd.domain.orders import OrderType, Side
from tradingd.gate.book import Book
from tradingd.gate.limits.table import LIMITS


def held_at(*marks: str, stop: str | None = None):
    """100 BBB bought at 100, then marked through these prices."""

    def prepare(book: Book) -> None:
        filled(book, Side.BUY, 100)
        for minute, price in enumerate(marks, 1):
            book.mark("BBB", usd(price), NOW + minute)
        if stop is not None:
            book.set_stop("BBB", usd(stop))

    return prepare


def positions(count: int):
    def prepare(book: Book) -> None:
        for number in range(count):
            filled(book, Side.BUY, 1, symbol=f"S{number}", order_id=f"F-{number}")

    return prepare


def losses(count: int, ts: int = NOW):
    def prepare(book: Book) -> None:
        for number in range(count):
            filled(book, Side.BUY, 1, 100, order_id=f"F-{number}", ts=ts)
            filled(book, Side.SELL, 1, 99, order_id=f"X-{number}", ts=ts)

    return prepare


def limit_buy(price: str):
    return buy(1, price, type=OrderType.LIMIT)


def announced(days_ahead: int) -> ReferenceData:
    return ReferenceData(earnings={"AAA": (DAY + dt.timedelta(days=days_ahead),)})


def member(first: int, until: int) -> ReferenceData:
    """Of the universe from so many days after DAY to the day before so many."""
    span = (DAY + dt.timedelta(days=first), DAY + dt.timedelta(days=until))
    return ReferenceData(members={"AAA": (span,), "CCC": ((DAY, dt.date.max),)})


BORROW = ReferenceData(shortable={"AAA": {DAY: 100}})
LISTED = {"short_availability": "listed"}
MAINTENANCE = {"margin_regime": "intraday_4210"}

# key -> (beyond the limit: denied, exactly at it, whether that denies, inside it: passes)
CASES = {
    # peak 100,000 + 100 x 10 = 101,000; 2 % of it is 2,020; 101,000 - 2,020 = 98,980: BBB at 89.80
    "drawdown_percent": (
        Case(buy(1), {"drawdown_percent": 2.0}, held_at("110", "89.79")),
        Case(buy(1), {"drawdown_percent": 2.0}, held_at("110", "89.80")),
        True,
        Case(buy(1), {"drawdown_percent": 2.0}, held_at("110", "89.81")),
    ),
    # 2 % of the 100,000 at the session's start is 2,000 = 100 x (100 - 80)
    "daily_loss_percent": (
        Case(buy(1), {"daily_loss_percent": 2.0}, held_at("79.99")),
        Case(buy(1), {"daily_loss_percent": 2.0}, held_at("80.00")),
        True,
        Case(buy(1), {"daily_loss_percent": 2.0}, held_at("80.01")),
    ),
    # 0.4 % of 100,000 is 400 = 100 x (100 - 96)
    "risk_per_trade_percent": (
        Case(buy(100, stop="95.99"), {"risk_per_trade_percent": 0.4}),
        Case(buy(100, stop="96.00"), {"risk_per_trade_percent": 0.4}),
        False,
        Case(buy(100, stop="96.01"), {"risk_per_trade_percent": 0.4}),
    ),
    # BBB risks 100 x (100 - 61) = 3,900; 4 % is 4,000; the order may add 100 = 100 x (100 - 99)
    "open_risk_percent": (
        Case(buy(100, stop="98.99"), {"open_risk_percent": 4.0}, held_at(stop="61")),
        Case(buy(100, stop="99.00"), {"open_risk_percent": 4.0}, held_at(stop="61")),
        False,
        Case(buy(100, stop="99.01"), {"open_risk_percent": 4.0}, held_at(stop="61")),
    ),
    # 5 % of 100,000 is 50 shares at 100
    "position_percent": (
        Case(buy(51), {"position_percent": 5.0}),
        Case(buy(50), {"position_percent": 5.0}),
        False,
        Case(buy(49), {"position_percent": 5.0}),
    ),
    # BBB is worth 10,000; 50 % is 50,000; the order may add 400 shares at 100
    "gross_percent": (
        Case(buy(401), {"gross_percent": 50.0}, held_at()),
        Case(buy(400), {"gross_percent": 50.0}, held_at()),
        False,
        Case(buy(399), {"gross_percent": 50.0}, held_at()),
    ),
    # gross limit 200 % = 200,000, half of it 100,000: 1,000 shares short
    "short_of_gross_percent": (
        Case(sell(1001), {"gross_percent": 200.0, "short_of_gross_percent": 50.0}),
        Case(sell(1000), {"gross_percent": 200.0, "short_of_gross_percent": 50.0}),
        False,
        Case(sell(999), {"gross_percent": 200.0, "short_of_gross_percent": 50.0}),
    ),
    "max_positions": (
        Case(buy(1), {"max_positions": 3}, positions(3)),
        Case(buy(1), {"max_positions": 3}, positions(2)),
        False,
        Case(buy(1), {"max_positions": 3}, positions(1)),
    ),
    "max_trades_per_day": (
        Case(buy(1), {"max_trades_per_day": 3}, positions(3)),
        Case(buy(1), {"max_trades_per_day": 3}, positions(2)),
        False,
        Case(buy(1), {"max_trades_per_day": 3}, positions(1)),
    ),
    "loss_streak": (
        Case(buy(1), {"loss_streak": 3}, losses(4)),
        Case(buy(1), {"loss_streak": 3}, losses(3)),
        True,
        Case(buy(1), {"loss_streak": 3}, losses(2)),
    ),
    "collar_percent": (
        Case(limit_buy("105.01"), {"collar_percent": 5.0}),
        Case(limit_buy("105.00"), {"collar_percent": 5.0}),
        False,
        Case(limit_buy("104.99"), {"collar_percent": 5.0}),
    ),
    "max_mark_age_seconds": (
        Case(buy(1), {"max_mark_age_seconds": 10}, now=NOW + 10 * NANOSECONDS + 1),
        Case(buy(1), {"max_mark_age_seconds": 10}, now=NOW + 10 * NANOSECONDS),
        False,
        Case(buy(1), {"max_mark_age_seconds": 10}, now=NOW + 10 * NANOSECONDS - 1),
    ),
    "orders_per_minute": (
        Case(buy(1), {"orders_per_minute": 3}, sent_before=3),
        Case(buy(1), {"orders_per_minute": 3}, sent_before=2),
        False,
        Case(buy(1), {"orders_per_minute": 3}, sent_before=1),
    ),
    # 10,000 USD is 100 shares at 100
    "max_order_value": (
        Case(buy(101), {"max_order_value": 10_000}),
        Case(buy(100), {"max_order_value": 10_000}),
        False,
        Case(buy(99), {"max_order_value": 10_000}),
    ),
    "no_trade_open_minutes": (
        Case(buy(1), {"no_trade_open_minutes": 5}, now=SESSION.open_ns + 5 * MINUTE - 1),
        Case(buy(1), {"no_trade_open_minutes": 5}, now=SESSION.open_ns + 5 * MINUTE),
        False,
        Case(buy(1), {"no_trade_open_minutes": 5}, now=SESSION.open_ns + 5 * MINUTE + 1),
    ),
    "no_trade_close_minutes": (
        Case(buy(1), {"no_trade_close_minutes": 5}, now=SESSION.close_ns - 5 * MINUTE + 1),
        Case(buy(1), {"no_trade_close_minutes": 5}, now=SESSION.close_ns - 5 * MINUTE),
        True,
        Case(buy(1), {"no_trade_close_minutes": 5}, now=SESSION.close_ns - 5 * MINUTE - 1),
    ),
    "earnings_blackout_days": (
        Case(buy(1), {"earnings_blackout_days": 2}, reference=announced(1)),
        Case(buy(1), {"earnings_blackout_days": 2}, reference=announced(2)),
        True,
        Case(buy(1), {"earnings_blackout_days": 2}, reference=announced(3)),
    ),
    # a span's last date is the first day outside
    "outside_universe": (
        Case(buy(1), {"outside_universe": "deny"}, reference=member(-9, -1)),
        Case(buy(1), {"outside_universe": "deny"}, reference=member(-9, 0)),
        True,
        Case(buy(1), {"outside_universe": "deny"}, reference=member(-9, 1)),
    ),
    "require_stop": (
        Case(buy(1), {"require_stop": True}),
        Case(buy(1, stop="100"), {"require_stop": True}),
        True,
        Case(buy(1, stop="99.99"), {"require_stop": True}),
    ),
    "short_availability": (
        Case(sell(101), LISTED, reference=BORROW),
        Case(sell(100), LISTED, reference=BORROW),
        False,
        Case(sell(99), LISTED, reference=BORROW),
    ),
    # 25 % of 4,000 shares at 100 is the equity of 100,000
    "margin_regime": (
        Case(buy(4001), MAINTENANCE),
        Case(buy(4000), MAINTENANCE),
        False,
        Case(buy(3999), MAINTENANCE),
    ),
}

every_limit = pytest.mark.parametrize("key", CASES)


@every_limit
def test_an_order_beyond_the_limit_is_denied_by_it_alone(key):
    beyond, *_ = CASES[key]
    assert beyond.denied_by() == {key}


@every_limit
def test_an_order_exactly_at_the_limit_is_decided_as_documented(key):
    _, at, at_denies, _ = CASES[key]
    assert at.denied_by() == ({key} if at_denies else set())


@every_limit
def test_an_order_inside_the_limit_passes(key):
    *_, inside = CASES[key]
    assert inside.denied_by() == set()


@every_limit
def test_without_its_entry_in_the_table_the_same_order_would_pass(key):
    beyond, *_ = CASES[key]
    rest = tuple(limit for limit in LIMITS if limit.key != key)
    assert len(rest) == len(LIMITS) - 1
    assert beyond.denied_by(rest) == set()


@every_limit
def test_a_denial_says_limit_observed_allowed_and_why(key):
    beyond, *_ = CASES[key]
    (denial,) = beyond.verdict().denials
    assert denial.limit == key
    assert denial.observed
    assert denial.allowed
    assert denial.observed != denial.allowed
    assert denial.explanation.endswith(".")
    assert " " in denial.explanation


@pytest.mark.parametrize(
    ("streak", "observed", "lost"),
    [(1, "1 loss", "The last round trip lost"), (2, "2 losses in a row", "The last 2 round trips")],
)
def test_a_streak_is_told_in_the_words_of_its_number(streak, observed, lost):
    (denial,) = Case(buy(1), {"loss_streak": streak}, losses(streak)).verdict().denials
    assert denial.observed == observed
    assert denial.explanation.startswith(lost)


@every_limit
def test_evaluations_and_denials_are_counted_per_limit(key):
    beyond, *_ = CASES[key]
    gate = beyond.gate()
    assert not gate.check(beyond.intent, beyond.now, beyond.session).allowed
    counted = gate.count()
    orders = beyond.sent_before + 1
    assert {limit: denied for limit, (_, denied) in counted.items() if denied} == {key: 1}
    assert {evaluated for evaluated, _ in counted.values()} == {orders}


def test_every_limit_has_its_cases_and_a_key_of_the_configuration():
    keys = [limit.key for limit in LIMITS]
    assert set(keys) == set(CASES)
    assert len(keys) == len(set(keys))
    fields = set(RiskConfig.__struct_fields__)
    assert fields - set(keys) == {
        "profile",
        "loss_streak_pause_minutes",
        "intraday_margin_from",
    }


def test_all_broken_limits_are_reported_not_only_the_first():
    case = Case(
        buy(600, stop="50"),
        {"position_percent": 5.0, "gross_percent": 50.0, "risk_per_trade_percent": 0.4},
    )
    assert case.denied_by() == {"position_percent", "gross_percent", "risk_per_trade_percent"}


def test_the_shipped_open_profile_evaluates_everything_and_denies_nothing():
    gate = Case(buy(100_000)).gate()
    assert gate.check(buy(100_000), NOW, SESSION).allowed
    assert gate.check(sell(100_000), NOW, SESSION).allowed
    assert all(counted == (2, 0) for counted in gate.count().values())
    assert len(gate.count()) == len(LIMITS)


def test_the_default_profile_lets_a_modest_entry_with_a_stop_pass():
    case = Case(buy(40, stop="98"), {key: getattr(RiskConfig(), key) for key in CASES})
    assert case.denied_by() == set()


@pytest.mark.parametrize(
    ("members", "denied"),
    [
        (None, False),
        ({}, True),
        ({"AAA": ((DAY, dt.date.max),)}, False),
        ({"AAA": ((DAY + dt.timedelta(days=1), dt.date.max),)}, True),
        ({"AAA": ((dt.date.min, dt.date(2023, 1, 1)), (dt.date(2024, 1, 1), DAY))}, True),
        ({"AAA": ((dt.date.min, dt.date(2023, 1, 1)), (DAY, dt.date.max))}, False),
    ],
    ids=["fixed universe", "of nobody", "begins", "begins later", "between spans", "again"],
)
def test_a_symbol_is_traded_on_the_days_of_its_spans_only(members, denied):
    reference = ReferenceData(members=members)
    case = Case(buy(1), {"outside_universe": "deny"}, reference=reference)
    assert case.denied_by() == ({"outside_universe"} if denied else set())
    allowed = Case(buy(1), {"outside_universe": "allow"}, reference=reference)
    assert allowed.denied_by() == set()
