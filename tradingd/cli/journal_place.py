"""Which journal a command reads, and how times of it are shown to a person."""

import datetime as dt
from pathlib import Path

from tradingd.config.paths import state_root
from tradingd.session.calendar import NEW_YORK

JOURNAL = "journal.sqlite"


def journal_file(instance: str, file: str | None) -> Path:
    """Return the file a person names, else the instance's."""
    return Path(file).expanduser() if file is not None else state_root(instance) / JOURNAL


def shown_time(ns: int | None) -> str:
    """Return an instant (UTC ns) as exchange time with seconds; empty for none."""
    if not ns:
        return ""
    instant = dt.datetime.fromtimestamp(ns // 1_000_000_000, NEW_YORK)
    return f"{instant:%Y-%m-%d %H:%M:%S}"
