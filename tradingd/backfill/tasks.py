"""Tasks: which (symbol, day) of a trade log are wanted."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from tradingd.kits.failure import ExitCode, Failure

SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.\-]{0,14}")


class Task(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One symbol on one New York day.

    Raises
    ------
    Failure
        USAGE for a symbol that cannot be one: it is also the name of a folder.
    """

    symbol: str
    day: dt.date

    def __post_init__(self) -> None:
        if not SYMBOL.fullmatch(self.symbol):
            raise Failure(
                "not the symbol of a stock",
                code=ExitCode.USAGE,
                where="symbol",
                expected="1 to 15 of A-Z 0-9 . - with a letter first",
                found=repr(self.symbol),
            )


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks are kept; they apply in the order of these fields.

    Parameters
    ----------
    symbols : tuple of str
        Only these; empty: all.
    first, last_day : datetime.date, optional
        Only days from and up to, inclusive.
    last : int, optional
        Only the most recent so many different days of those that are left.
    max_tasks : int, optional
        At most so many, the first of the log.
    """

    symbols: tuple[str, ...] = ()
    first: dt.date | None = None
    last_day: dt.date | None = None
    last: int | None = None
    max_tasks: int | None = None


def select(tasks: Iterable[Task], filters: Filters) -> list[Task]:
    """Return the tasks that pass, each once, in the order in which they were first seen."""
    kept = [one for one in dict.fromkeys(tasks) if _passes(one, filters)]
    if filters.last is not None:
        days = sorted({one.day for one in kept}, reverse=True)[: filters.last]
        kept = [one for one in kept if one.day in days]
    return kept[: filters.max_tasks]


def _passes(task: Task, filters: Filters) -> bool:
    return (
        (not filters.symbols or task.symbol in filters.symbols)
        and (filters.first is None or task.day >= filters.first)
        and (filters.last_day is None or task.day <= filters.last_day)
    )
