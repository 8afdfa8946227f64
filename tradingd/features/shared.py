"""Intermediate columns that several features of one symbol read, computed once."""

import threading
from collections.abc import Callable
from typing import Final

from tradingd.features.series import Floats, Series

_held: Final = threading.local()


def shared(series: Series, key: tuple[str | int, ...], compute: Callable[[], Floats]) -> Floats:
    """Return what `compute` returns, the same array for the same key of the same series.

    A thread remembers one series, the last; nobody may write into the array.
    """
    if getattr(_held, "series", None) is not series:
        _held.series = series
        _held.columns = {}
    columns: dict[tuple[str | int, ...], Floats] = _held.columns
    found = columns.get(key)
    if found is None:
        found = columns[key] = compute()
        found.flags.writeable = False
    return found
