"""From a trade log to tasks; knows no vendor."""

import datetime as dt
from pathlib import Path

import msgspec

from tradingd.backfill.tasks import Filters, Task, select
from tradingd.backfill.tradelog.reading import Entry, Format, Note, Rejected, read_log


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a log asks for.

    Attributes
    ----------
    tasks : tuple of Task
        Each once, in the order of the log, after the filters.
    entries, found : int
        Rows that could be read, and different tasks among them before the filters.
    rejected : tuple of Rejected
        Rows that could not be used.
    notes : tuple of str
        What else a person must know: hidden sheets, columns in doubt.
    """

    tasks: tuple[Task, ...]
    entries: int
    found: int
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()


def discover(path: Path, form: Format, filters: Filters, *, today: dt.date) -> Discovery:
    """Read a trade log.

    Parameters
    ----------
    path : pathlib.Path
        .xlsx, .xlsm, .csv, .tsv or .txt.
    form : Format
    filters : Filters
    today : datetime.date
        New York's; a later day in the log is a mistake.

    Raises
    ------
    Failure
        UNREADABLE_INPUT or CONFIG.
    """
    tasks: dict[Task, None] = {}
    entries, rejected, notes = 0, [], []
    for one in read_log(path, form):
        match one:
            case Entry() if one.day > today:
                reason = f"{one.day} has not come yet"
                rejected.append(Rejected(place=one.place, reason=reason))
            case Entry():
                entries += 1
                tasks[Task(symbol=one.symbol, day=one.day)] = None
            case Rejected():
                rejected.append(one)
            case Note():
                notes.append(one.text)
    traded = {one.symbol for one in tasks}
    notes += [f"no row names {one}" for one in filters.symbols if one not in traded]
    return Discovery(
        tasks=tuple(select(tasks, filters)),
        entries=entries,
        found=len(tasks),
        rejected=tuple(rejected),
        notes=tuple(notes),
    )
