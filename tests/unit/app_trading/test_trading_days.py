"""The book's days begin by session time, and the simulated broker hears of actions in time."""

import asyncio
import datetime as dt

from tradingd.app.trading.days import Days
from tradingd.domain.market import ActionKind, CorporateAction, Session
from tradingd.domain.money import SCALE
from tradingd.gate.book import Book
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.session.clock import ReplayClock

CALENDAR = SessionCalendar()
MONDAY, TUESDAY = dt.date(2024, 3, 11), dt.date(2024, 3, 12)


def _open(day: dt.date) -> int:
    session = CALENDAR.on(day)
    assert session is not None
    return session.open_ns


def test_a_session_begins_at_local_midnight_of_its_day_also_after_the_clocks_changed() -> None:
    clock, book = ReplayClock(_open(dt.date(2024, 3, 8))), Book(SCALE)
    Days(book, clock, CALENDAR).start(clock.now())
    assert book.session is not None
    assert book.session.day == dt.date(2024, 3, 8)
    # New York went to daylight time on Sunday the 10th: Monday's midnight is 04:00 UTC.
    midnight = int(dt.datetime(2024, 3, 11, 4, tzinfo=dt.UTC).timestamp()) * 10**9
    clock.advance(midnight - 1)
    assert book.session.day == dt.date(2024, 3, 8)
    clock.advance(midnight)
    assert book.session.day == MONDAY


def test_a_start_on_a_weekend_waits_for_the_next_session() -> None:
    saturday = local_midnight_ns(dt.date(2024, 3, 9))
    clock, book = ReplayClock(saturday), Book(SCALE)
    Days(book, clock, CALENDAR).start(clock.now())
    assert book.session is None
    clock.advance(_open(MONDAY))
    assert book.session is not None
    assert book.session.day == MONDAY


def test_a_restart_in_the_middle_of_a_day_forgives_nothing_and_tells_no_action_twice() -> None:
    split = CorporateAction(symbol="A", ex_date=MONDAY, kind=ActionKind.SPLIT, numerator=2)
    dividend = CorporateAction(symbol="A", ex_date=TUESDAY, kind=ActionKind.DIVIDEND, amount=5)
    told: list[CorporateAction] = []

    async def tell(action: CorporateAction, ts: int) -> None:
        assert ts == local_midnight_ns(action.ex_date)
        told.append(action)

    clock, book = ReplayClock(_open(MONDAY) + 1), Book(SCALE)
    days = Days(book, clock, CALENDAR, [split, dividend], tell)
    days.start(clock.now())

    async def go() -> None:
        await days.before(_open(MONDAY) + 60)
        assert told == []
        await days.before(_open(TUESDAY))
        await days.before(_open(TUESDAY) + 60)

    asyncio.run(go())
    assert told == [dividend]


def test_actions_that_are_announced_while_it_runs_are_told_too() -> None:
    dividend = CorporateAction(symbol="A", ex_date=TUESDAY, kind=ActionKind.DIVIDEND, amount=5)
    told, begun = list[CorporateAction](), list[Session]()

    async def tell(action: CorporateAction, ts: int) -> None:
        told.append(action)

    clock, book = ReplayClock(_open(MONDAY) + 1), Book(SCALE)
    days = Days(book, clock, CALENDAR, [], tell, begun.append)
    days.start(clock.now())
    clock.advance(local_midnight_ns(TUESDAY))
    assert [session.day for session in begun] == [TUESDAY]
    days.know([dividend])
    asyncio.run(days.before(_open(TUESDAY)))
    assert told == [dividend], "known at its own midnight"
