"""Times as Alpaca writes and reads them: RFC 3339 text and UTC nanoseconds."""

import datetime as dt
import re
import zoneinfo
from functools import lru_cache
from typing import Final

NEW_YORK: Final = zoneinfo.ZoneInfo("America/New_York")
SECOND: Final = 1_000_000_000
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})?"
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def stamp(ts: int) -> str:
    """Write a UTC time in ns, with as much of the fraction as it has."""
    seconds, fraction = divmod(ts, SECOND)
    head = _second(seconds)
    return f"{head}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{head}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def optional_stamp(ts: int | None) -> str | None:
    """Write a time that may be missing."""
    return None if ts is None else stamp(ts)


def new_york_stamp(ts: int) -> str:
    """Write a time with the offset of New York, to the microsecond."""
    seconds, fraction = divmod(ts, SECOND)
    moment = dt.datetime.fromtimestamp(seconds, tz=NEW_YORK)
    return moment.replace(microsecond=fraction // 1000).isoformat()


def read_time(text: str) -> int:
    """Read a date (midnight UTC) or a time; without an offset it is UTC.

    Raises
    ------
    ValueError
        When it is neither.
    """
    if _DATE.fullmatch(text):
        return at(dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC))
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a date or time: {text!r}")
    day, clock, fraction, offset = found.groups()
    zone = "+00:00" if offset in (None, "Z", "z") else offset
    whole = at(dt.datetime.fromisoformat(f"{day}T{clock}{zone}"))
    return whole + int((fraction or "0").ljust(9, "0"))


def at(moment: dt.datetime) -> int:
    """Return a time of whole seconds in UTC ns."""
    return int(moment.timestamp()) * SECOND


def new_york_date(ts: int) -> dt.date:
    """Return the New York date of a UTC time in ns."""
    return dt.datetime.fromtimestamp(ts // SECOND, tz=NEW_YORK).date()
