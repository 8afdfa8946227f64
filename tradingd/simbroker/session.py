"""New York dates of market times, for DAY orders; the broker keeps no calendar."""

import datetime as dt
from functools import lru_cache

_HOUR_NS = 3_600_000_000_000


def new_york_day(ts: int) -> int:
    """Return the New York date of a UTC time in ns, as a proleptic day number (never 0)."""
    return _day_of_hour(ts // _HOUR_NS)


@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> int:
    # Offsets from UTC are whole hours, so all of an hour has one date.
    import zoneinfo  # here: a tenth of the start-up time, needed with the first bar only

    moment = dt.datetime.fromtimestamp(hour * 3600, tz=zoneinfo.ZoneInfo("America/New_York"))
    return moment.date().toordinal()
