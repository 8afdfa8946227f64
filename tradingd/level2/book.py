"""Books as columns of numbers, streamed in chunks: what every analysis and replay reads."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

type Ints32 = NDArray[np.int32]
type Ints64 = NDArray[np.int64]

NO_BID: Final = 0
"""Price of a bid level that does not exist: below every bid."""

NO_ASK: Final = 2**31 - 1
"""Price of an ask level that does not exist: above every ask."""


class BookChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive books of one symbol.

    Attributes
    ----------
    ts : (n,) int64
        Time of each state, UTC ns, not decreasing: the snapshot's `ts`, else the record's
        `ts_recv` (LOBSTER: the exchange's time).
    bid_px, ask_px : tuple of L arrays (n,) int32
        Prices by level from the best, in 1/10,000 dollar; `NO_BID` / `NO_ASK`: no such level.
    bid_sz, ask_sz : tuple of L arrays (n,) int32
        Shares; 0: no such level.
    quality : (n,) int16
        `columns.Quality` bits.
    """

    ts: Ints64
    bid_px: tuple[Ints32, ...]
    ask_px: tuple[Ints32, ...]
    bid_sz: tuple[Ints32, ...]
    ask_sz: tuple[Ints32, ...]
    quality: NDArray[np.int16]

    @property
    def rows(self) -> int:
        """Number of states."""
        return len(self.ts)

    @property
    def levels(self) -> int:
        """Levels a side."""
        return len(self.bid_px)


class TradeChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Trades that fell between the first and the last state of a chunk, and after the one before.

    Attributes
    ----------
    ts : (m,) int64
        UTC ns, not decreasing.
    price : (m,) int64
        In 1/10,000 dollar, rounded to the nearest where a venue prints finer (midpoint prints).
    size : (m,) int64
        Shares.
    sign : (m,) int8
        +1 a buyer was the aggressor, -1 a seller, 0 not told (hidden executions included).
    before : (m,) int64
        Index in the book chunk of the last state before the trade had any effect; -1: the state
        lies in the chunk before, or there is none.
    """

    ts: Ints64
    price: Ints64
    size: Ints64
    sign: NDArray[np.int8]
    before: Ints64


class BookSource(Protocol):
    """One symbol's books, from any file we can read; opening one reads only what describes it."""

    @property
    def label(self) -> str:
        """File name and kind, for people."""
        ...

    @property
    def symbol(self) -> str:
        """The one symbol whose books these are."""
        ...

    @property
    def day(self) -> dt.date:
        """New York day of the first state."""
        ...

    @property
    def levels(self) -> int:
        """Levels a side."""
        ...

    @property
    def every_change(self) -> bool:
        """True: each state of the book is there; False: snapshots on a grid."""
        ...

    @property
    def interval_ns(self) -> int:
        """Spacing of the grid; 0 for `every_change`."""
        ...

    @property
    def has_trades(self) -> bool:
        """Whether `chunks` can yield trades."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return what the file says of itself (dataset, schema, window, ...), for reports."""
        ...

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        """Yield states and trades in time order, at most `rows` states at once; may be repeated.

        Raises
        ------
        Failure
            DAMAGED_PARQUET, DAMAGED_ARCHIVE or INVALID_ROW, naming file and row.
        """
        ...
