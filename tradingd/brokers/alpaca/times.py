"""Alpaca's times <-> UTC nanoseconds, exact to the nanosecond."""

import datetime as dt
import re
from typing import Final

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|z|[+-]\d\d:?\d\d)?)?"
)
_SECOND: Final = 1_000_000_000


def ns(text: object) -> int:
    """Read a time or a date (its midnight, UTC) as UTC ns; 0 for anything else."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return 0
    day, time, fraction, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{time or '00:00:00'}{offset}")
    except ValueError:
        return 0
    return int(moment.timestamp()) * _SECOND + int((fraction or "").ljust(9, "0")[:9])


def text(ts: int) -> str:
    """Write UTC ns as RFC 3339, exact."""
    seconds, rest = divmod(ts, _SECOND)
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    fraction = f".{rest:09d}" if rest else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def second(ts: int) -> str:
    """Write UTC ns as RFC 3339 in whole seconds, rounded down, as filters take it."""
    return text(ts // _SECOND * _SECOND)
