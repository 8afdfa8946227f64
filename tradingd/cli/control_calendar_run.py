"""Answer whether an exchange opens on a day; every trouble is an answer too, never a traceback.

systemd's ExecCondition= takes 1 to 254 for "skip quietly" and 255 for "failed": a question that
cannot be answered must be the latter, or a nightly job would be skipped for ever in silence.
"""

import datetime as dt
import sys

from tradingd.cli.control_calendar import CalendarDay
from tradingd.cli.control_format import exchange_time
from tradingd.cli.control_params import IsSessionParams
from tradingd.domain.market import Session
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.session.clock import WallClock

FAILED = 255


def is_session(params: IsSessionParams) -> CalendarDay:
    """Look the day up."""
    try:
        day = _day(params.day)
        return _found(params.calendar, day, _calendar(params, day).on(day))
    except Exception as error:  # noqa: BLE001 - whatever went wrong must end as 255
        return _failed(params, error)


def following(params: IsSessionParams) -> CalendarDay:
    """Look the first session after the day up."""
    try:
        day = _day(params.day)
        later = _calendar(params, day).between(day + dt.timedelta(days=1), dt.date.max)
        session = later[0] if later else None
        return _found(params.calendar, session.day if session else day, session)
    except Exception as error:  # noqa: BLE001 - whatever went wrong must end as 255
        return _failed(params, error)


def render(answer: CalendarDay) -> None:
    """Print one line."""
    if answer.error:
        sys.stderr.write(f"tradingctl: {answer.error}\n")
        return
    hours = f"{answer.open} to {answer.close} ET" if answer.session else "no session"
    sys.stdout.write(f"{answer.calendar} {answer.day}: {hours}\n")


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text) if text else local_date(WallClock().now())


def _calendar(params: IsSessionParams, day: dt.date) -> SessionCalendar:
    calendar = SessionCalendar(params.calendar)
    first, last = calendar.sessions[0].day, calendar.sessions[-1].day
    if not first <= day <= last:
        raise Failure(
            "the calendar does not reach that day",
            code=ExitCode.USAGE,
            expected=f"{first} to {last}",
            found=str(day),
        )
    return calendar


def _found(name: str, day: dt.date, session: Session | None) -> CalendarDay:
    return CalendarDay(
        exit_code=ExitCode.OK if session else ExitCode.NO_SESSION,
        calendar=name,
        day=day.isoformat(),
        session=session is not None,
        open=exchange_time(session.open_ns, day=False) if session else "",
        close=exchange_time(session.close_ns, day=False) if session else "",
    )


def _failed(params: IsSessionParams, error: Exception) -> CalendarDay:
    return CalendarDay(
        exit_code=FAILED,
        calendar=params.calendar,
        day=params.day,
        session=False,
        error=error.line() if isinstance(error, Failure) else str(error) or repr(error),
    )
