"""Compare Alpaca's calendar with ours: a difference means that one of them is out of date."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.session.calendar import NEW_YORK, SessionCalendar
from tradingd.vendors.alpaca.data import DataClient


def calendar_differences(
    client: DataClient, calendar: SessionCalendar, *, first: dt.date, last: dt.date
) -> list[str]:
    """Ask Alpaca for its sessions and return what differs from ours, a sentence each.

    Blocks on the network. Days are New York days, both inclusive.

    Raises
    ------
    Failure
        When Alpaca does not answer.
    """
    return differences(client.calendar(first, last), calendar.between(first, last))


def differences(rows: Iterable[Mapping[str, Any]], ours: Iterable[Session]) -> list[str]:
    """Return one sentence a day on which the two sides differ, by day."""
    theirs = {str(row.get("date", "")): _hours(row) for row in rows}
    mine = {one.day.isoformat(): _session_hours(one) for one in ours}
    return [
        f"{day}: Alpaca {theirs.get(day, 'closed')}, our calendar {mine.get(day, 'closed')}"
        for day in sorted(theirs.keys() | mine.keys())
        if theirs.get(day) != mine.get(day)
    ]


def _hours(row: Mapping[str, Any]) -> str:
    return f"{row.get('open', '?')}-{row.get('close', '?')}"


def _session_hours(session: Session) -> str:
    return f"{_local(session.open_ns)}-{_local(session.close_ns)}"


def _local(ts: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=NEW_YORK):%H:%M}"
