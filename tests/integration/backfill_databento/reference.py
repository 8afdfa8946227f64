"""Snapshots once more, slowly and obviously: the vendor's records one by one, plain Python.

For every time of the grid: the book of the last record with `ts_recv` at or before it that closes
its event (the vendor's F_LAST). The grid begins where a book is known.
"""

from collections.abc import Iterator
from typing import Any

import databento_dbn as dbn
from databento import DBNStore

from tests.servers.databento_history import HistoryServer

TENTH = 100_000_000
UNIT = 100_000
"""Nanodollars of one stored price unit."""


def records_of(server: HistoryServer, symbol: str, start: int, end: int) -> list[Any]:
    """Return the vendor's own record objects of a symbol within [start, end)."""
    found: list[Any] = []
    for path in server.files:
        store = DBNStore.from_file(path)
        if symbol in store.symbols:
            found += [one for one in store if start <= one.ts_recv < end]
        store.reader.close()
    return found


def grid_rows(
    records: list[Any], start: int, end: int, *, levels: int = 10
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the grid in [start, end), without `quality`."""
    place, book, told = 0, None, 0
    for ts in range(-(-start // TENTH) * TENTH, end, TENTH):
        while place < len(records) and records[place].ts_recv <= ts:
            if records[place].flags & dbn.F_LAST:
                book = records[place]
            place += 1
        if book is None:
            continue
        yield {
            "ts": ts,
            "ts_event": book.ts_event,
            "ts_recv": book.ts_recv,
            "sequence": book.sequence,
            "events": place - told,
            "on_change": False,
            **_levels(book, levels),
        }
        told = place


def _levels(book: Any, levels: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for number in range(levels):
        level = book.levels[number] if number < len(book.levels) else None
        for side in ("bid", "ask"):
            price = getattr(level, f"{side}_px", dbn.UNDEF_PRICE)
            here = price != dbn.UNDEF_PRICE
            row[f"{side}_px_{number:02d}"] = price // UNIT if here else None
            row[f"{side}_sz_{number:02d}"] = getattr(level, f"{side}_sz") if here else 0
            row[f"{side}_ct_{number:02d}"] = getattr(level, f"{side}_ct") if here else None
    return row
