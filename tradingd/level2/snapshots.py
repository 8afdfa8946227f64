"""Rows of snapshots, one at a time: buffers for live capture."""

from array import array
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tradingd.domain.depth import Ladder
from tradingd.level2.assemble import NOT_COUNTED, Head, record_batch
from tradingd.level2.book import NO_ASK, NO_BID
from tradingd.level2.prices import HIGHEST, MOST, UNIT, stored_count, stored_price

_HEAD: Final = 7
_LEVEL: Final = 6
_NONE: Final = (NO_BID, NO_ASK)


class SnapshotRows:
    """Buffers rows of one symbol until they are taken as a batch; 8 bytes a value.

    Parameters
    ----------
    symbol : str
    levels : int
        Levels a side that are kept: a longer ladder is cut, a shorter one filled with levels that
        do not exist.
    """

    def __init__(self, symbol: str, levels: int) -> None:
        self._symbol = symbol
        self._levels = levels
        self._missing = array("q", (*_NONE, 0, 0, NOT_COUNTED, NOT_COUNTED))
        self._values = array("q")
        self._shown: Ladder | None = None
        self._stored_shown = array("q")

    def append(
        self,
        *,
        ts: int,
        ts_event: int,
        ts_recv: int,
        sequence: int,
        events: int,
        on_change: bool,
        quality: int,
        ladder: Ladder,
    ) -> None:
        """Add a row; one that is refused leaves the buffer as it was.

        Parameters
        ----------
        ts, ts_event, ts_recv : int
            UTC ns.
        ladder : Ladder
            Prices in Nanos.
        sequence, events, on_change, quality
            As in `columns.HEAD`.

        Raises
        ------
        Failure
            INVALID_ROW naming symbol and time: a price or a size that the columns cannot hold.
        """
        kept = self._stored(ladder[: self._levels * _LEVEL], ts)
        head = (ts, ts_event, ts_recv, sequence, events, on_change, quality)
        self._values.extend(head)
        self._values.extend(kept)
        for _ in range(self._levels - len(kept) // _LEVEL):
            self._values.extend(self._missing)

    def _stored(self, ladder: Ladder, ts: int) -> array[int]:
        # A quiet book is the same object from row to row.
        if ladder is not self._shown:
            kept = ladder[: self._levels * _LEVEL]
            self._stored_shown = array("q", _in_bulk(kept) or self._one_by_one(kept, ts))
            self._shown = ladder
        return self._stored_shown

    def _one_by_one(self, ladder: Ladder, ts: int) -> list[int]:
        where = f"{self._symbol} {np.datetime64(ts, 'ns')}Z"
        stored: list[int] = []
        for at in range(0, len(ladder) - _LEVEL + 1, _LEVEL):
            for price, none in zip(ladder[at : at + 2], _NONE, strict=True):
                units = stored_price(price, where=where)
                stored.append(none if units is None else units)
            for size in ladder[at + 2 : at + 4]:
                stored.append(stored_count(size or 0, where=where))
            for orders in ladder[at + 4 : at + 6]:
                stored.append(NOT_COUNTED if orders is None else stored_count(orders, where=where))
        return stored

    def __len__(self) -> int:
        return len(self._values) // (_HEAD + _LEVEL * self._levels)

    def take(self) -> pa.RecordBatch:
        """Return the rows as a batch of `columns.snapshot_schema`, and empty the buffers."""
        width = _HEAD + _LEVEL * self._levels
        values: Any = np.frombuffer(self._values, np.int64).reshape(-1, width)
        self._values = array("q")
        head = Head(
            ts=values[:, 0],
            ts_event=values[:, 1],
            ts_recv=values[:, 2],
            sequence=values[:, 3],
            events=values[:, 4].astype(np.int32),
            on_change=values[:, 5] != 0,
            quality=values[:, 6].astype(np.int16),
        )
        book = values[:, _HEAD:].astype(np.int32).T
        return record_batch(self._symbol, head, np.ascontiguousarray(book))


def _in_bulk(ladder: Any) -> list[int] | None:
    """Return a full ladder as stored, at a third of the cost; None: look at it one by one."""
    if not ladder or None in ladder:
        return None
    stored = list(ladder)
    for side in (0, 1):
        prices = stored[side::_LEVEL]
        units = [price // UNIT for price in prices]
        if [one * UNIT for one in units] != prices:
            return None
        if min(units) <= 0 or max(units) > HIGHEST:
            return None
        stored[side::_LEVEL] = units
    counts = [*stored[2::_LEVEL], *stored[3::_LEVEL], *stored[4::_LEVEL], *stored[5::_LEVEL]]
    return stored if min(counts) >= 0 and max(counts) <= MOST else None
