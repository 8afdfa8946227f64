"""Snapshots of a book from DBN records: on a grid, at every change, or both; vectorised.

The rule: every snapshot equals the state after the last record with ``ts_recv`` <= its time that
closes its event. A record whose `ts_recv` goes back counts at the latest time before it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.assemble import Head, record_batch
from tradingd.level2.book import Ints32, Ints64
from tradingd.level2.columns import Quality
from tradingd.level2.form import form_bits
from tradingd.level2.records import (
    F_MAYBE_BAD_BOOK,
    Records,
    blocks,
    book_columns,
    book_words,
    closing,
    levels_in,
    no_levels,
    sequences,
    times,
)
from tradingd.level2.staleness import Staleness

_BLOCK: Final = 4_096
_MOST_ROWS: Final = 16_384


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are wanted.

    Attributes
    ----------
    levels : int
        Levels a side; those a record does not have do not exist.
    interval_ns : int
        Spacing of the grid, whose times are multiples of it since the epoch; 0: no grid.
    on_change : bool
        A row for every closing record whose kept levels differ from the row before.
    stale_ns : int
        See `quality.QualityWatch`; 0: nothing is ever stale.
    """

    levels: int
    interval_ns: int
    on_change: bool
    stale_ns: int


class _Rows(NamedTuple):
    """Rows to be made: time, index of the state, records told until then, and why."""

    ts: Ints64
    state: Ints64
    told: Ints64
    on_change: NDArray[np.bool_]


class GridSampler:
    """Samples one symbol's books within a window, fed record by record or chunk after chunk.

    Rows begin at the first time with a known state. Memory is that of one state and one block of
    rows; how the records are cut into chunks changes nothing.

    Parameters
    ----------
    symbol : str
    sampling : Sampling
    start_ns, end_ns : int
        Window [start, end), UTC ns. Records before it make the first state.
    """

    def __init__(self, symbol: str, sampling: Sampling, start_ns: int, end_ns: int) -> None:
        self.records_in = 0
        self._symbol = symbol
        self._sampling = sampling
        self._start = start_ns
        self._end = end_ns
        step = sampling.interval_ns
        # Without a grid, its next time is never reached.
        self._next = -(-start_ns // step) * step if step else end_ns
        self._latest = 0
        self._state: Records | None = None
        self._state_number = 0
        self._told = 0
        self._wrote = False
        self._staleness = Staleness(sampling.stale_ns)

    def feed(self, records: Records) -> pa.RecordBatch | None:
        """Take the next records and return the rows they complete, None where there are none.

        Parameters
        ----------
        records : (n,)
            DBN records of this symbol, in order.

        Raises
        ------
        Failure
            INVALID_ROW naming symbol, time and record.
        """
        return _whole(list(self.sampled(records)))

    def finish(self) -> pa.RecordBatch | None:
        """Return the rest of the grid up to the end of the window, None where there is none."""
        return _whole(list(self.rest()))

    def sampled(self, records: Records) -> Iterator[pa.RecordBatch]:
        """Yield what `feed` returns, in pieces of bounded size: for long silences."""
        if not levels_in(records):
            raise Failure(
                "The records have no order books",
                code=ExitCode.UNREADABLE_INPUT,
                where=self._symbol,
                expected="a schema with books, such as mbp-10",
            )
        for block in blocks(records, _BLOCK):
            yield from self._block(block)

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yield what `finish` returns, in pieces of bounded size."""
        if self._state is None:
            return
        none = self._state[:0]
        for grid in self._grid(self._end):
            yield from self._piece(none, np.empty(0, np.int64), grid)

    def _block(self, records: Records) -> Iterator[pa.RecordBatch]:
        at = self._clamped(records)
        done = 0
        # A grid time is due once a later record shows that no more come at it.
        for grid in self._grid(int(at[-1])):
            upto = int(np.searchsorted(at, grid[-1], side="right"))
            yield from self._piece(records[done:upto], at[done:upto], grid)
            done = upto
        yield from self._piece(records[done:], at[done:], np.empty(0, np.int64))

    def _piece(self, records: Records, at: Ints64, grid: Ints64) -> Iterator[pa.RecordBatch]:
        """Yield the rows at consecutive records, and at the times of the grid up to the last."""
        closes = closing(records)
        states, numbers = self._states(records, closes)
        older = len(states) - len(closes)
        grid_state = np.searchsorted(at[closes], grid, side="right") - 1 + older
        grid = grid[grid_state >= 0]
        grid_told = self.records_in + np.searchsorted(at, grid, side="right")
        changes = self._changes(states, at[closes], grid)
        # Stable: at one time, the change comes before the grid.
        ts = np.concatenate((at[closes[changes]], grid))
        order = np.argsort(ts, kind="stable")
        state = np.concatenate((changes + older, grid_state[grid_state >= 0]))[order]
        told = np.concatenate((self.records_in + closes[changes] + 1, grid_told))[order]
        on_change = order < len(changes)
        self.records_in += len(records)
        if len(states):
            self._state, self._state_number = states[-1:].copy(), int(numbers[-1])
        if len(order):
            yield self._rows(_Rows(ts[order], state, told, on_change), states, numbers)

    def _states(self, records: Records, closes: Ints64) -> tuple[Records, Ints64]:
        """Return the closing records after the state carried over, and the number of each."""
        states, numbers = records[closes], self.records_in + closes
        if self._state is None:
            return states, numbers
        return np.concatenate((self._state, states)), np.append(self._state_number, numbers)

    def _changes(self, states: Records, at: Ints64, grid: Ints64) -> Ints64:
        """Return the indices, among the closing records, of those that make a row."""
        if not self._sampling.on_change or not len(at):
            return np.empty(0, np.int64)
        within = (at >= self._start) & (at < self._end)
        words = book_words(states, self._sampling.levels)
        differs = np.ones(len(at), bool)
        differs[len(at) + 1 - len(states) :] = (words[1:] != words[:-1]).any(axis=1)
        first = int(within.argmax())
        if not self._wrote and not (len(grid) and grid[0] < at[first]):
            differs[first] = True
        return np.flatnonzero(differs & within)

    def _rows(self, rows: _Rows, states: Records, numbers: Ints64) -> pa.RecordBatch:
        # Rows of one state are consecutive: each state is converted once, then repeated.
        starts = np.flatnonzero(np.diff(rows.state, prepend=-1))
        used = rows.state[starts]
        repeats = np.diff(starts, append=len(rows.state))
        records = states[used]
        book = self._book(records, numbers[used])
        quality = form_bits(tuple(book[0::6]), tuple(book[1::6]))
        quality |= ((records["flags"] & F_MAYBE_BAD_BOOK) != 0) * np.int16(Quality.SUSPECT)
        received = times(records, "ts_recv")
        happened = times(records, "ts_event")
        head = Head(
            ts=rows.ts,
            # A vendor's grid has no time of an event before the first trade.
            ts_event=np.repeat(np.where(happened < 0, received, happened), repeats),
            ts_recv=np.repeat(received, repeats),
            sequence=np.repeat(sequences(records), repeats),
            events=np.diff(rows.told, prepend=self._told).astype(np.int32),
            on_change=rows.on_change,
            quality=np.repeat(quality, repeats) | self._staleness.bits(rows.ts, book, starts),
        )
        self._told = int(rows.told[-1])
        self._wrote = True
        if len(used) < len(rows.ts):
            book = np.repeat(book, repeats, axis=1)
        return record_batch(self._symbol, head, book)

    def _book(self, records: Records, numbers: Ints64) -> Ints32:
        wanted, there = self._sampling.levels, levels_in(records)
        book = book_columns(records, min(wanted, there), self._symbol, numbers)
        if wanted <= there:
            return book
        return np.concatenate((book, no_levels(wanted - there, len(records))))

    def _clamped(self, records: Records) -> Ints64:
        at = times(records, "ts_recv")
        if (at < 0).any():
            raise Failure(
                "A record has no time of receipt",
                code=ExitCode.INVALID_ROW,
                where=f"{self._symbol}, record {self.records_in + int((at < 0).argmax())}",
            )
        at[0] = max(int(at[0]), self._latest)
        at = np.maximum.accumulate(at)
        self._latest = int(at[-1])
        return at

    def _grid(self, before: int) -> Iterator[Ints64]:
        """Yield the times of the grid that are due before a time, in pieces."""
        step = self._sampling.interval_ns
        before = min(before, self._end)
        while self._next < before:
            after = min(before, self._next + _MOST_ROWS * step)
            piece = np.arange(self._next, after, step, dtype=np.int64)
            self._next = int(piece[-1]) + step
            yield piece


def _whole(pieces: list[pa.RecordBatch]) -> pa.RecordBatch | None:
    if len(pieces) < 2:
        return pieces[0] if pieces else None
    return pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
