"""Cut a stretch of history into windows of about equal numbers of rows; pure functions."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tradingd.history.span import Span, Stamps

DAY_NS = 86_400_000_000_000


class DayCounts:
    """Rows per UTC day; the only thing that grows with history (8 bytes a day)."""

    def __init__(self, first_ts: int, last_ts: int) -> None:
        start = first_ts // DAY_NS
        days = max(last_ts // DAY_NS - start + 1, 1)
        self._midnights: Stamps = (start + np.arange(days + 1, dtype=np.int64)) * DAY_NS
        self._counts = np.zeros(days, dtype=np.int64)

    def add(self, stamps: Stamps) -> None:
        """Count sorted times; a time at midnight belongs to the day before."""
        edges = np.searchsorted(stamps, self._midnights, side="right")
        self._counts += np.diff(edges)

    @property
    def total(self) -> int:
        """All rows counted."""
        return int(self._counts.sum())

    def windows(self, most_rows: int) -> list[Span]:
        """Return consecutive spans of whole days with at most `most_rows` rows each.

        A day that holds more is cut into parts of equal time.
        """
        found: list[Span] = []
        start, rows = 0, 0
        for day, count in enumerate(self._counts.tolist()):
            if rows and rows + count > most_rows:
                found += self._parts(start, day, rows, most_rows)
                start, rows = day, 0
            rows += count
        if rows:
            found += self._parts(start, len(self._counts), rows, most_rows)
        return found

    def _parts(self, start: int, end: int, rows: int, most_rows: int) -> list[Span]:
        first, last = int(self._midnights[start]), int(self._midnights[end])
        parts = -(-rows // most_rows)
        edges = [first + (last - first) * part // parts for part in range(parts + 1)]
        return [Span(low, high) for low, high in pairwise(edges)]


def chunk_ends(stamps: NDArray[np.int64], chunk_rows: int) -> list[int]:
    """Return the last times of chunks of at most `chunk_rows` rows; instants stay whole.

    A single instant with more rows than that is a chunk of its own.
    """
    order = np.sort(stamps)
    parts = -(-len(order) // chunk_rows)
    target = -(-len(order) // parts) if parts else 0
    ends: list[int] = []
    position = 0
    while position < len(order):
        limit = position + target
        if limit >= len(order):
            ends.append(int(order[-1]))
            break
        # The instant at `limit` may have begun before it: end the chunk ahead of it.
        cut = int(np.searchsorted(order, order[limit], side="left"))
        if cut <= position:
            cut = int(np.searchsorted(order, order[position], side="right"))
        ends.append(int(order[cut - 1]))
        position = cut
    return ends
