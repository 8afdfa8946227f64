"""Regroup a chunk of bars, sorted by symbol, into batches of bars that close together."""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Resolution
from tradingd.domain.ports import BarChunk
from tradingd.feeds.columns import PRICES, Integers, nanos_of, times_of
from tradingd.session.calendar import SessionCalendar


class Regrouped:
    """The rows of one chunk by time; batches are made one at a time, as they are asked for.

    Parameters
    ----------
    chunk : BarChunk
        Bars sorted by symbol, then time.
    after : int
        Rows at or before this time (UTC ns) are left out.
    calendar : SessionCalendar or None
        Intraday rows outside its sessions are left out; None keeps every row.
    """

    def __init__(self, chunk: BarChunk, after: int, calendar: SessionCalendar | None) -> None:
        table = chunk.table
        times = times_of(table["ts_event"])
        order = np.argsort(times, kind="stable")
        order = order[np.searchsorted(times[order], after, side="right") :]
        times = times[order]
        encoded = pc.dictionary_encode(table["symbol"]).combine_chunks()
        if hasattr(encoded, "chunks"):
            encoded = encoded.chunk(0)
        self._names: list[str] = encoded.dictionary.to_pylist()
        self._codes = encoded.indices.to_numpy()[order]
        columns = [nanos_of(table[name]) for name in PRICES]
        self._columns = [column[order] for column in (*columns, table["volume"].to_numpy())]
        self._spans = _spans(times, calendar)

    def batches(self) -> Iterator[Batch]:
        """Yield the batches in time order."""
        for ts, first, last in self._spans:
            yield Batch(ts, tuple(self._bars(first, last)))

    def _bars(self, first: int, last: int) -> Iterator[MarketBar]:
        names = self._names
        columns = [column[first:last].tolist() for column in self._columns]
        for code, *values in zip(self._codes[first:last].tolist(), *columns, strict=True):
            yield MarketBar(names[code], *values)


def _spans(times: Integers, calendar: SessionCalendar | None) -> list[tuple[int, int, int]]:
    """Return (time, first row, row after the last) of every batch inside a session."""
    starts = np.flatnonzero(np.diff(times, prepend=-1)) if len(times) else np.empty(0, np.int64)
    ends = [*starts[1:].tolist(), len(times)]
    return [
        (ts, first, last)
        for ts, first, last in zip(times[starts].tolist(), starts.tolist(), ends, strict=False)
        if calendar is None or calendar.at(ts) is not None
    ]


def session_cut(resolution: Resolution, calendar: SessionCalendar) -> SessionCalendar | None:
    """Return the calendar that bars of a resolution are cut to; daily bars pass as they are."""
    return None if resolution is Resolution.DAY else calendar
