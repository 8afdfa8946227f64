"""A paper session that is ended in the middle and goes on does what it would have done."""

import datetime as dt
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.parity.books import Books, differences
from tests.acceptance.parity.cases import Case
from tests.acceptance.parity.runs import Machine
from tradingd.session.calendar import SessionCalendar, local_date

SWING = Case(("strategy=swing_trend", "strategy.max_days=8"), "2004-01-02", "2004-05-28")
"""Positions are held for days, and left by the count of them."""

WARM = ("mode.warm_up_bars=500",)
PACED = ("feed.speed=1000000", "feed.longest_wait=0.08")
QUIET = 4
"""Sessions on end without a decision or a fill: an end there cuts short nothing that is documented
to be lost (the signals of the bar in hand; on SIGTERM, orders that wait for the next open)."""


def reached(journal: Path) -> str:
    """Return the day of the last batch that strategies were given."""
    try:
        link = sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return ""
    try:
        row = link.execute("SELECT value FROM marks WHERE key = 'feed_position'").fetchone()
    except sqlite3.OperationalError:
        return ""
    finally:
        link.close()
    return local_date(int(row[0])).isoformat() if row else ""


def quiet_days(books: Books) -> Iterator[str]:
    """Yield days on which something was held and that begin a quiet time, apart from each other."""
    first, last = dt.date.fromisoformat(SWING.start), dt.date.fromisoformat(SWING.end)
    days = [one.day.isoformat() for one in SessionCalendar().between(first, last)]
    busy = {one.bar for one in (*books.orders, *books.trades)}
    free_from = 0
    for index, day in enumerate(days[:-QUIET]):
        held = any(one.opened < day and one.closed > days[index + QUIET] for one in books.trips)
        if index >= free_from and held and not busy.intersection(days[index : index + QUIET]):
            free_from = index + 2 * QUIET
            yield day


def end(machine: Machine, instance: str, day: str, number: signal.Signals) -> None:
    """Run a session until a day has come, then end it by a signal."""
    process = machine.started(instance, "feed=sample", *SWING.of_session, *WARM, *PACED)
    journal = machine.journal(instance)
    try:
        eventually(lambda: reached(journal) >= day, f"{day} has come", 60)
    finally:
        process.send_signal(number)
        code = process.wait(60)
    assert code == (0 if number is signal.SIGTERM else -number)
    assert reached(journal) < SWING.end, "it was ended in the middle"


@pytest.mark.slow
def test_a_session_that_was_killed_and_stopped_and_goes_on_ends_as_the_one_that_was_not(
    daily: Machine,
) -> None:
    whole = daily.session("whole", "feed=sample", *SWING.of_session, *WARM)
    assert any("held 8 sessions" in one.reason for one in whole.trades)
    first, *_, last = quiet_days(whole)
    end(daily, "again", first, signal.SIGKILL)
    end(daily, "again", last, signal.SIGTERM)
    again = daily.session("again", "feed=sample", *SWING.of_session, *WARM, goes_on=True)
    assert list(differences(whole, again)) == []
    assert again.denials == whole.denials
    assert again.equity == whole.equity
