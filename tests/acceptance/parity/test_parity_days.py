"""Days that are unlike others are the same days in a backtest and in a paper session."""

import csv
import datetime as dt
import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.acceptance.parity.cases import Case
from tests.acceptance.parity.causes import causes
from tests.acceptance.parity.runs import Machine, Pair
from tradingd.domain.market import Resolution, Session
from tradingd.session.calendar import SessionCalendar

HALF_DAY, MONDAY = dt.date(2019, 11, 29), dt.date(2019, 12, 2)
DAYS = (dt.date(2019, 11, 1), dt.date(2019, 11, 4), HALF_DAY, MONDAY)
"""Both sides of the change of clocks on 2019-11-03, then sessions without any bar until a half day,
and the Monday after it."""

PROBER = Case(
    (
        "strategy=custom",
        "strategy.path=prober:Prober",
        "strategy.bars=1m",
        "risk=open",
        "universe=symbols",
        "universe.symbols=[ALL,GAPS,LATE]",
    ),
    "2019-11-01",
    "2019-12-02",
)


def trades(symbol: str, session: Session, minute: int) -> bool:
    """Tell whether a symbol has a bar for a minute of a session."""
    match symbol:
        case "GAPS":  # two minutes of three, none before noon
            last = (session.close_ns - session.open_ns) // 60_000_000_000 - 5
            return not 90 < minute <= 150 and (minute % 3 > 0 or minute > last)
        case "LATE":
            return session.day >= MONDAY
    return True


def rows() -> Iterator[tuple[object, ...]]:
    """Yield bars that wander by a cent or three a minute."""
    chance = random.Random(5)
    last = dict.fromkeys(("ALL", "GAPS", "LATE"), Decimal("50.00"))
    calendar = SessionCalendar()
    for day in DAYS:
        session = calendar.on(day)
        assert session is not None
        minutes = (session.close_ns - session.open_ns) // 60_000_000_000
        for minute in range(1, minutes + 1):
            at = dt.datetime.fromtimestamp(session.open_ns / 1e9 + 60 * minute, dt.UTC)
            for symbol, before in last.items():
                if not trades(symbol, session, minute):
                    continue
                steps = [before + Decimal(chance.randint(-3, 3)) / 100 for _ in range(4)]
                last[symbol] = steps[-1]
                prices = (steps[0], max(steps), min(steps), steps[-1])
                yield symbol, at.isoformat(), *prices, chance.randint(5_000, 20_000)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(machine: Callable[[Resolution], Machine]) -> Pair:
    """What both did over these days."""
    made = machine(Resolution.MINUTE)
    path = made.home / "bars.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("symbol", "ts_event", "open", "high", "low", "close", "volume"))
        writer.writerows(rows())
    made.data("source=tabular", f"source.path={path}", "source.resolution=1m")
    session = made.session("days", *PROBER.of_session, "broker.arrivals=next_bar")
    return Pair(made.backtest(*PROBER.of_backtest), session)


def test_a_session_does_the_same_as_the_backtest_on_every_one_of_them(pair: Pair) -> None:
    assert len(pair.session.trades) > 50
    assert causes(*pair) == {}
    assert pair.session.equity == pair.backtest.equity


def test_every_day_has_the_minutes_it_has(pair: Pair) -> None:
    told = re.compile(r"bar (\d+), (\d+) minutes to the close")
    seen: dict[str, set[int]] = {}
    for order in pair.session.orders:
        if order.symbol == "ALL" and order.type == "MARKET" and (found := told.match(order.reason)):
            seen.setdefault(order.bar[:10], set()).add(int(found[1]) + int(found[2]))
    assert seen == {str(day): {210 if day == HALF_DAY else 390} for day in DAYS}


def test_a_symbol_that_lists_later_is_traded_from_then_on(pair: Pair) -> None:
    assert min(one.bar for one in pair.session.orders if one.symbol == "LATE")[:10] == str(MONDAY)


def test_an_order_waits_for_a_bar_of_its_symbol(pair: Pair) -> None:
    noon = [
        one
        for one in pair.session.trades
        if one.symbol == "GAPS" and "11:00" < one.bar[11:] <= "12:00"
    ]
    assert noon == []


def test_an_order_of_the_close_trades_at_the_next_open(pair: Pair) -> None:
    closes = [one for one in pair.session.trades if one.reason.startswith("close of")]
    assert {one.bar[11:] for one in closes} == {"09:31"}
