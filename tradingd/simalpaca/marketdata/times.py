"""Times on the wire (RFC 3339) and New York days, as UTC nanoseconds."""

import datetime as dt
import re
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)"
)


def midnight(day: dt.date) -> int:
    """Return New York midnight at the start of `day`, UTC ns."""
    return _midnight(day.toordinal())


@lru_cache(maxsize=20_000)
def _midnight(ordinal: int) -> int:
    start = dt.datetime.combine(dt.date.fromordinal(ordinal), dt.time(), tzinfo=NEW_YORK)
    return int((start - _EPOCH).total_seconds()) * SECOND


def new_york_date(ts: int) -> dt.date:
    """Return the New York date of a UTC time in ns."""
    return dt.date.fromordinal(_ordinal_of_hour(ts // HOUR))


EARLIEST: Final = midnight(dt.date(1900, 1, 1))
"""Before every market time."""


@lru_cache(maxsize=50_000)
def _ordinal_of_hour(hour: int) -> int:
    # Offsets from UTC are whole hours since 1883, so all of an hour has one date.
    return (_EPOCH + dt.timedelta(hours=hour)).astimezone(NEW_YORK).date().toordinal()


@lru_cache(maxsize=4_096)
def text(ts: int) -> str:
    """Write UTC ns as RFC 3339, with no more decimals than needed."""
    seconds, fraction = divmod(ts, SECOND)
    whole = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{whole}Z"


def parse(value: str) -> int:
    """Read RFC 3339, or YYYY-MM-DD as that day's midnight in New York.

    Raises
    ------
    ValueError
        When it is neither.
    """
    if len(value) == 10:
        return midnight(dt.date.fromisoformat(value))
    # A plus sign that a client did not escape arrives as a blank.
    found = _STAMP.fullmatch(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
    if not found:
        raise ValueError(f"not a time: {value!r}")
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in "Zz" else zone
    moment = dt.datetime.fromisoformat(f"{day}T{clock}{offset}") - _EPOCH
    seconds = moment.days * 86_400 + moment.seconds
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))
