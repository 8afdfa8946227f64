"""Where files of one symbol and day are: the published layout below the level-2 folder.

``{SYMBOL}/{YYYY-MM-DD}_snapshots_{HHMMSS}.parquet`` (a capture that began at that New York time),
``{SYMBOL}/{YYYY-MM-DD}_messages_{HHMMSS}.json``, ``session_stats_{YYYYMMDD_HHMMSS}.json`` of the
whole capture, ``{SYMBOL}/{YYYY-MM-DD}_snapshots_databento.parquet`` and ``..._trades_...`` of a
backfill. Days and times in names are New York's.
"""

import datetime as dt
from pathlib import Path
from typing import Final

from tradingd.domain.market import NANOSECONDS
from tradingd.session.calendar import NEW_YORK

PARTS_FOLDER: Final = ".recording"
"""Below a symbol's folder: parts of captures that are not finished."""


def clock_tag(ts: int) -> str:
    """Return the New York time of day of a UTC ns time as ``HHMMSS``."""
    return f"{_local(ts):%H%M%S}"


def snapshots(root: Path, symbol: str, day: dt.date, tag: str) -> Path:
    """Return the snapshot file; `tag` is a capture's `clock_tag` or a vendor's name."""
    return root / symbol / f"{day}_snapshots_{tag}.parquet"


def trades(root: Path, symbol: str, day: dt.date, tag: str) -> Path:
    """Return the file of trades."""
    return root / symbol / f"{day}_trades_{tag}.parquet"


def messages(root: Path, symbol: str, day: dt.date, tag: str) -> Path:
    """Return the message log."""
    return root / symbol / f"{day}_messages_{tag}.json"


def session_stats(root: Path, ts: int) -> Path:
    """Return the statistics of the capture that began at a UTC ns time."""
    return root / f"session_stats_{_local(ts):%Y%m%d_%H%M%S}.json"


def parts(root: Path, symbol: str, day: dt.date, tag: str) -> Path:
    """Return the folder of the parts of a capture that is running."""
    return root / symbol / PARTS_FOLDER / f"{day}_{tag}"


def _local(ts: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=NEW_YORK)
