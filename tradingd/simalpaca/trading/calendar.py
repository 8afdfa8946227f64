"""Clock and calendar as Alpaca shows them."""

import datetime as dt

from tradingd.simalpaca import nyse
from tradingd.simalpaca.nyse import Session
from tradingd.simalpaca.stamps import NEW_YORK, SECOND, new_york_date, new_york_stamp
from tradingd.simalpaca.trading.errors import INVALID, ApiError
from tradingd.simalpaca.trading.fields import Query

_EARLIEST = dt.time(4)
_LATEST = dt.time(20)


def clock(now: int) -> dict[str, object]:
    """Return the market's clock at a time, UTC ns."""
    day = new_york_date(now)
    today = nyse.session(day)
    is_open = today is not None and today.open <= now < today.close
    coming = today if today is not None and now < today.open else nyse.following(day)
    closing = today if today is not None and now < today.close else coming
    return {
        "timestamp": new_york_stamp(now),
        "is_open": is_open,
        "next_open": new_york_stamp(coming.open),
        "next_close": new_york_stamp(closing.close),
    }


def calendar(query: Query, today: dt.date) -> list[dict[str, str]]:
    """Return the sessions of a range of dates, by default from today on for a year."""
    first = _date(query, "start") or (today if query.text("end") == "" else nyse.FIRST)
    last = _date(query, "end") or first + dt.timedelta(days=365)
    query.word("date_type", ("TRADING", "SETTLEMENT"), "TRADING")
    settles = query.text("date_type") == "SETTLEMENT"
    if not settles:
        return [_view(session) for session in nyse.between(first, last)]
    around = nyse.between(first - dt.timedelta(days=10), last)
    shown = (_view(session) for session in around)
    return [one for one in shown if first.isoformat() <= one["settlement_date"] <= last.isoformat()]


def _date(query: Query, name: str) -> dt.date | None:
    text = query.text(name)
    if not text:
        return None
    try:
        found = dt.date.fromisoformat(text[:10])
    except ValueError:
        raise ApiError(400, INVALID, f"invalid {name}") from None
    return min(max(found, nyse.FIRST), nyse.LAST - dt.timedelta(days=370))


def _view(session: Session) -> dict[str, str]:
    opened, closed = (
        dt.datetime.fromtimestamp(ts // SECOND, tz=NEW_YORK) for ts in (session.open, session.close)
    )
    early = closed.time() < dt.time(16)
    return {
        "date": session.date.isoformat(),
        "open": opened.strftime("%H:%M"),
        "close": closed.strftime("%H:%M"),
        "session_open": _EARLIEST.strftime("%H%M"),
        "session_close": "1700" if early else _LATEST.strftime("%H%M"),
        "settlement_date": nyse.following(session.date).date.isoformat(),
    }
