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


def grid_of(records: list[Any], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (time, index of the record whose book it shows, records since the row before)."""
    place, shown, told = 0, None, 0
    for ts in range(-(-start // TENTH) * TENTH, end, TENTH):
        while place < len(records) and records[place].ts_recv <= ts:
            if records[place].flags & dbn.F_LAST:
                shown = place
            place += 1
        if shown is None:
            continue
        yield ts, shown, place - told
        told = place


def snapshot_columns(
    records: list[Any], start: int, end: int, *, levels: int = 10
) -> dict[str, list[Any]]:
    """Return the columns of the grid in [start, end), without `symbol` and `quality`."""
    grid = list(grid_of(records, start, end))
    told = [_told(one, levels) for one in records]
    found: dict[str, list[Any]] = {
        "ts": [ts for ts, _, _ in grid],
        "events": [count for _, _, count in grid],
        "on_change": [False for _ in grid],
    }
    for name in told[0]:
        found[name] = [told[shown][name] for _, shown, _ in grid]
    return found


def _told(record: Any, levels: int) -> dict[str, Any]:
    """Return what a record says of the book after it, as it is stored."""
    row = {
        "ts_event": record.ts_event,
        "ts_recv": record.ts_recv,
        "sequence": record.sequence,
    }
    for number in range(levels):
        level = record.levels[number]
        for side in ("bid", "ask"):
            price = getattr(level, f"{side}_px")
            here = price != dbn.UNDEF_PRICE
            row[f"{side}_px_{number:02d}"] = price // UNIT if here else None
            row[f"{side}_sz_{number:02d}"] = getattr(level, f"{side}_sz") if here else 0
            row[f"{side}_ct_{number:02d}"] = getattr(level, f"{side}_ct") if here else None
    return row
