"""Depth events out of a Databento file; the book of a record is only read when asked for."""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.depth import Action, BookSide, DepthEvent, Ladder
from tradingd.domain.market import NANOSECONDS
from tradingd.feeds.depth_replay.source import EventSource, Told
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.records import F_LAST, F_MAYBE_BAD_BOOK, has_actions, times
from tradingd.vendors.databento.dbn import DbnFile

CHUNK: Final = 2_000
"""Records decoded at once: 1-2 ms, so that a replay never holds up the loop."""

_NO_PRICE: Final = 2**63 - 1
_NO_TIME: Final = 2**64 - 1
_NO_LEVEL: Final = (None, None, 0, 0, None, None)
_LETTERS: Final = {bytes([code]): chr(code) for code in range(128)} | {b"": "N"}


class DbnEvents(EventSource):
    """One Databento file of books.

    Parameters
    ----------
    path : Path
        ``.dbn`` or ``.dbn.zst`` with a book schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = DbnFile(path)

    def open(self) -> None:
        """Read the metadata, and the first record for what it holds.

        Raises
        ------
        Failure
            UNREADABLE_INPUT or DAMAGED_ARCHIVE, naming the file.
        """
        self._file.open()
        first = next(self._file.chunks(1), None)
        if first is None:
            return
        names = first.dtype.names or ()
        self.levels = sum(1 for name in names if name.startswith("bid_px_"))
        if not self.levels:
            raise Failure(
                "a file without books cannot be replayed as depth",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(self.path),
                expected="schema mbp-10, mbp-1, tbbo, cmbp-1, bbo-1s, bbo-1m or cbbo",
                found=f"schema {self._file.schema}",
            )
        self.first_ts = int(first["ts_recv"][0])
        day = dt.datetime.fromtimestamp(self.first_ts // NANOSECONDS, tz=dt.UTC).date()
        self._symbols = dict(self._file.symbol_of(day) or self._file.symbol_of())
        self.symbols = frozenset(self._symbols.values())

    def tell(self) -> Iterator[Told]:
        """Yield the records in the order received."""
        latest = 0
        for chunk in self._file.chunks(CHUNK):
            received = times(chunk, "ts_recv")
            # A record whose time goes back counts at the latest time before it, as in a backfill.
            at = np.maximum.accumulate(np.maximum(received, latest))
            latest = int(at[-1])
            yield from _events(chunk, at, self._symbols)


def _events(
    records: NDArray[Any], at: NDArray[np.int64], symbols: Mapping[int, str]
) -> Iterator[DepthEvent]:
    names = records.dtype.names or ()
    start = names.index("bid_px_00")
    counted = "bid_ct_00" in names
    # Records of a vendor's grid (bbo, cbbo) are whole states.
    whole = not has_actions(records)
    no: tuple[Any, ...]
    columns = [records["instrument_id"].tolist(), records["ts_event"].tolist(), at.tolist()]
    columns.append(records["flags"].tolist())
    for name, no in (
        ("sequence", (0,)),
        ("action", (b"N",)),
        ("side", (b"N",)),
        ("depth", (0,)),
        ("price", (_NO_PRICE,)),
        ("size", (0,)),
    ):
        columns.append(records[name].tolist() if name in names else itertools.repeat(no[0]))
    for index, row in enumerate(zip(*columns, strict=False)):
        instrument, ts_event, ts_recv, flags, sequence, action, side, depth, price, size = row
        symbol = symbols.get(instrument)
        if symbol is None:
            continue
        yield DepthEvent(
            symbol,
            ts_event if ts_event != _NO_TIME else ts_recv,
            ts_recv,
            sequence,
            cast("Action", _LETTERS[action]),
            cast("BookSide", _LETTERS[side]),
            depth,
            price if price != _NO_PRICE else None,
            size,
            whole or flags >= F_LAST,
            flags & F_MAYBE_BAD_BOOK != 0,
            partial(_ladder, records, index, start, counted),
        )


def _ladder(records: NDArray[Any], index: int, start: int, counted: bool, levels: int) -> Ladder:
    """Return the book of one record; levels that the schema lacks are empty."""
    row = records[index].item()
    cells: list[int | None] = list(row[start : start + 6 * levels])
    if not counted:
        cells[4::6] = cells[5::6] = [None] * (len(cells) // 6)
    for side in (0, 1):
        if _NO_PRICE in cells[side::6]:
            cells[side::6] = [None if one == _NO_PRICE else one for one in cells[side::6]]
    missing = levels - len(cells) // 6
    return (*cells, *_NO_LEVEL * missing)
