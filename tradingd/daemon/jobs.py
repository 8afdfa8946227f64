"""What the daemon does by the clock: when each job is due, on exchange time.

Rules are pure: they work from the sessions of the calendar, so half days and daylight saving are
right by construction, and a replay and live trading share them.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import msgspec

from tradingd.config.schedule import ScheduleConfig
from tradingd.domain.market import NANOSECONDS, Session
from tradingd.session.calendar import SessionCalendar, local_date

type Work = Callable[[int], Awaitable[str]]
"""Does the job that was due at a session time (UTC ns); returns what a person should know."""

_MINUTE = 60 * NANOSECONDS
_LONGEST_CLOSURE = dt.timedelta(days=21)


class Rule(Protocol):
    """When a job is due."""

    def next_after(self, ts: int, calendar: SessionCalendar) -> int | None:
        """Return the first due time after `ts` (UTC ns), None beyond the calendar's end."""
        ...


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job.

    Parameters
    ----------
    name, description : str
        Short unique name; one sentence.
    rule : Rule
        When it is due.
    work : callable
        What it does; an exception or a stay beyond `longest` wall seconds is a failure.
    catch_up : str
        A missed run is made up for ``never``, while the ``session`` of its day goes on, or until
        the end of its ``day`` (exchange time).
    counted : bool
        Whether a missed run matters; of a job that comes every minute it does not.
    urgent : bool
        A failure or a miss pages; else it warns.
    """

    name: str
    description: str
    rule: Rule
    work: Work
    catch_up: Literal["never", "session", "day"] = "never"
    counted: bool = True
    urgent: bool = False
    longest: float = 60.0


class AtOpen(msgspec.Struct, frozen=True):
    """Some minutes after (or before, negative) each session's open."""

    minutes: int = 0

    def next_after(self, ts: int, calendar: SessionCalendar) -> int | None:
        """Return the next one; see `Rule`."""
        return _first(ts, calendar, lambda session: session.open_ns + self.minutes * _MINUTE)


class AtClose(msgspec.Struct, frozen=True):
    """Some minutes after (or before, negative) each session's close, early ones included."""

    minutes: int = 0

    def next_after(self, ts: int, calendar: SessionCalendar) -> int | None:
        """Return the next one; see `Rule`."""
        return _first(ts, calendar, lambda session: session.close_ns + self.minutes * _MINUTE)


class Every(msgspec.Struct, frozen=True):
    """Every so many seconds while a session is open, counted from its open."""

    seconds: int

    def next_after(self, ts: int, calendar: SessionCalendar) -> int | None:
        """Return the next one; see `Rule`."""
        step = self.seconds * NANOSECONDS
        for session in _around(ts, calendar):
            passed = max((ts - session.open_ns) // step, 0)
            due = session.open_ns + (passed + 1) * step
            if due <= session.close_ns:
                return due
        return None


def _first(ts: int, calendar: SessionCalendar, due: Callable[[Session], int]) -> int | None:
    return next((at for session in _around(ts, calendar) if (at := due(session)) > ts), None)


def _around(ts: int, calendar: SessionCalendar) -> tuple[Session, ...]:
    """Return the sessions from the day before `ts` on, as many as the next due time may need."""
    day = local_date(ts)
    return calendar.between(day - dt.timedelta(days=1), day + _LONGEST_CLOSURE)


class SessionWork(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon's own jobs do; the composition root provides it."""

    open: Work
    flatten: Work
    snapshot: Work
    reconcile: Work
    close: Work


def session_jobs(config: ScheduleConfig, work: SessionWork) -> tuple[Job, ...]:
    """Return the daemon's own jobs, in the order in which they run when due at one moment."""
    jobs = [
        Job(
            name="session_open",
            description="Begins the session: the day's limits and tallies start.",
            rule=AtOpen(),
            work=work.open,
            catch_up="session",
        )
    ]
    if minutes := config.flatten_before_close_minutes:
        jobs.append(
            Job(
                name="flatten_before_close",
                description=f"Closes every position {minutes} minutes before the close.",
                rule=AtClose(-minutes),
                work=work.flatten,
                catch_up="session",
                urgent=True,
                longest=minutes * 60.0,
            )
        )
    if config.snapshot_seconds:
        jobs.append(
            Job(
                name="snapshot",
                description="Writes the book to the journal.",
                rule=Every(config.snapshot_seconds),
                work=work.snapshot,
                counted=False,
            )
        )
    return (
        *jobs,
        Job(
            name="reconcile",
            description="Compares orders, positions and cash with the broker, at the close.",
            rule=AtClose(),
            work=work.reconcile,
            catch_up="day",
            urgent=True,
        ),
        Job(
            name="session_close",
            description="Ends the session: writes the day's equity and statistics.",
            rule=AtClose(),
            work=work.close,
            catch_up="day",
        ),
    )
