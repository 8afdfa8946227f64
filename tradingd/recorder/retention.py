"""Delete captures that are older than a number of days; what others brought is not touched."""

import datetime as dt
import re
from pathlib import Path
from typing import Final

_CAPTURED: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)_(?:snapshots_\d{6}\.parquet|messages_\d{6}\.json)"
)
_STATISTICS: Final = re.compile(r"session_stats_(\d{4})(\d\d)(\d\d)_\d{6}\.json")


def forget(root: Path, before: dt.date) -> int:
    """Delete captures, logs and statistics of days before `before`; return how many files.

    Backfills (``..._databento``) stay: they cost money.
    """
    count = 0
    for path in [*root.glob("*/*"), *root.glob("session_stats_*.json")]:
        day = _day_of(path.name)
        if day is not None and day < before:
            path.unlink(missing_ok=True)
            count += 1
    return count


def _day_of(name: str) -> dt.date | None:
    captured, statistics = _CAPTURED.fullmatch(name), _STATISTICS.fullmatch(name)
    try:
        if captured:
            return dt.date.fromisoformat(captured[1])
        return dt.date.fromisoformat("-".join(statistics.groups())) if statistics else None
    except ValueError:
        return None
