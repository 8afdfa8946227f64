"""Which margin rule an account is under: by broker, by day, and by what the user states."""

import datetime as dt

import msgspec
import pytest

from tests.unit.gate.gate_bench import MINUTE, OPEN, buy, filled, session_on, usd
from tradingd.config.broker import BrokerConfig
from tradingd.domain.market import ReferenceData
from tradingd.domain.orders import Side
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.limits.margin_dates import ADOPTED, EFFECTIVE, PHASED_IN, Regime, regime

DAY = dt.timedelta(days=1)
LEGACY, INTRADAY, EITHER = Regime.LEGACY, Regime.INTRADAY, Regime.EITHER


@pytest.mark.parametrize(
    ("broker", "day", "expected"),
    [
        ("alpaca", EFFECTIVE - DAY, LEGACY),
        ("alpaca", EFFECTIVE, INTRADAY),
        ("simulated", EFFECTIVE - DAY, LEGACY),
        ("simulated", EFFECTIVE, INTRADAY),
        ("", EFFECTIVE - DAY, LEGACY),
        ("", EFFECTIVE, INTRADAY),
        ("ibkr", EFFECTIVE - DAY, LEGACY),
        ("ibkr", EFFECTIVE, EITHER),
        ("ibkr", PHASED_IN, EITHER),
        ("ibkr", PHASED_IN + DAY, INTRADAY),
    ],
)
def test_the_rule_changes_on_the_brokers_own_day(
    broker: str, day: dt.date, expected: Regime
) -> None:
    assert regime(broker, day) is expected


@pytest.mark.parametrize("broker", ["alpaca", "ibkr", "simulated", ""])
def test_a_stated_day_goes_before_what_is_known(broker: str) -> None:
    stated = dt.date(2026, 9, 1)
    assert regime(broker, stated - DAY, stated) is LEGACY
    assert regime(broker, stated, stated) is INTRADAY


def test_every_broker_of_the_configuration_has_an_entry_with_its_source() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in BrokerConfig.__args__}
    assert kinds == set(ADOPTED)
    assert all(one.source for one in ADOPTED.values())
    assert all(one.day is not None for one in ADOPTED.values() if one.verified)


def fourth_day_trade(broker: str, day: dt.date, **limits: object) -> set[str]:
    """Return what denies an entry after three day trades with less than 25,000 USD."""
    session = session_on(day)
    now = session.open_ns + 60 * MINUTE
    book = Book(usd(24_999))
    book.start_session(session)
    book.mark("AAA", usd(100), now)
    for number in range(3):
        filled(book, Side.BUY, 1, order_id=f"B-{number}")
        filled(book, Side.SELL, 1, order_id=f"S-{number}")
    gate = Gate(
        msgspec.structs.replace(OPEN, margin_regime="auto", **limits),
        book,
        reference=ReferenceData(),
        account="margin",
        bar_seconds=60,
        broker=broker,
    )
    return {denial.limit for denial in gate.check(buy(1), now, session).denials}


@pytest.mark.parametrize(
    ("broker", "day", "limits", "denied"),
    [
        ("alpaca", EFFECTIVE - DAY, {}, True),
        ("alpaca", EFFECTIVE, {}, False),
        ("ibkr", EFFECTIVE, {}, True),
        ("ibkr", PHASED_IN, {}, True),
        ("ibkr", PHASED_IN + DAY, {}, False),
        ("ibkr", EFFECTIVE, {"intraday_margin_from": EFFECTIVE}, False),
        ("alpaca", EFFECTIVE, {"intraday_margin_from": EFFECTIVE + DAY}, True),
    ],
)
def test_a_fourth_day_trade_is_denied_as_long_as_the_broker_may_count_it(
    broker: str, day: dt.date, limits: dict[str, object], denied: bool
) -> None:
    assert fourth_day_trade(broker, day, **limits) == ({"margin_regime"} if denied else set())
