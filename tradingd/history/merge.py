"""Compare incoming rows with stored ones and unite them; pure functions on sorted tables.

Rows are known by ts_event; ticks that share an instant also by their place within it. So all rows
of one instant must arrive in one table: an incoming instant replaces the stored one as a whole.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tradingd.history.layout import times


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a write did: rows that were new, already there, or there with other values."""

    rows_new: int = 0
    rows_same: int = 0
    rows_revised: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            rows_new=self.rows_new + other.rows_new,
            rows_same=self.rows_same + other.rows_same,
            rows_revised=self.rows_revised + other.rows_revised,
        )

    @property
    def changed(self) -> bool:
        """True when the store must be written."""
        return bool(self.rows_new or self.rows_revised)


def merged(stored: pa.Table, incoming: pa.Table) -> tuple[pa.Table, Written]:
    """Return the union (incoming wins) in time order, and the counts.

    A stored tick whose instant arrives again with fewer rows is dropped and counts as revised.
    """
    old, new = _keys(stored), _keys(incoming)
    position = _find(old, new)
    known = position >= 0
    same = _equal_rows(stored.take(pa.array(position[known])), incoming.filter(pa.array(known)))
    replaced = np.isin(old["ts"], np.unique(new["ts"]))
    dropped = int(replaced.sum()) - int(known.sum())
    counts = Written(
        rows_new=int((~known).sum()),
        rows_same=int(same.sum()),
        rows_revised=int((~same).sum()) + dropped,
    )
    if not counts.changed:
        return stored, counts
    # A row that is already there keeps its first ts_init: that is when it was known.
    keep = ~replaced
    keep[position[known][same]] = True
    fresh = np.ones(incoming.num_rows, dtype=bool)
    fresh[np.flatnonzero(known)[same]] = False
    return in_time_order(
        [stored.filter(pa.array(keep)), incoming.filter(pa.array(fresh))],
        np.concatenate([old[keep], new[fresh]]),
    ), counts


def in_time_order(tables: Sequence[pa.Table], keys: NDArray[np.void]) -> pa.Table:
    """Concatenate and sort by key."""
    order = np.lexsort((keys["n"], keys["ts"]))
    return pa.concat_tables(tables).take(pa.array(order)).combine_chunks()


_KEY = np.dtype([("ts", np.int64), ("n", np.int64)])


def _keys(table: pa.Table) -> NDArray[np.void]:
    """(ts_event, place within the instant) of each row."""
    stamps = times(table)
    keys = np.empty(len(stamps), dtype=_KEY)
    keys["ts"] = stamps
    first = np.flatnonzero(np.diff(stamps, prepend=stamps[:1] - 1)) if len(stamps) else stamps
    sizes = np.diff(np.append(first, len(stamps)))
    keys["n"] = np.arange(len(stamps)) - np.repeat(first, sizes)
    return keys


def _find(old: NDArray[np.void], new: NDArray[np.void]) -> NDArray[np.int64]:
    """Index in `old` of each key of `new`; -1 where it is not there."""
    if not len(old):
        return np.full(len(new), -1, dtype=np.int64)
    start = np.searchsorted(old["ts"], new["ts"], side="left")
    end = np.searchsorted(old["ts"], new["ts"], side="right")
    place = start + new["n"]
    return np.where(place < end, place, -1).astype(np.int64)


def _equal_rows(left: pa.Table, right: pa.Table) -> NDArray[np.bool_]:
    """Row by row equality of all columns but ts_init (null equals null)."""
    equal = np.ones(left.num_rows, dtype=bool)
    for name in left.column_names:
        if name != "ts_init":
            equal &= _equal_column(left.column(name), right.column(name))
    return equal


def _equal_column(left: pa.ChunkedArray, right: pa.ChunkedArray) -> NDArray[np.bool_]:
    both = pc.fill_null(pc.equal(left, right), False)
    neither = pc.and_(pc.is_null(left), pc.is_null(right))
    equal: NDArray[np.bool_] = pc.or_(both, neither).to_numpy()
    return equal
