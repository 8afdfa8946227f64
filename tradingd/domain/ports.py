"""Protocols between layers: what the engine asks of history, costs and sessions."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import pyarrow as pa

from tradingd.domain.market import (
    CorporateAction,
    DataKind,
    Instrument,
    ReferenceData,
    Resolution,
)
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side


class BarChunk(msgspec.Struct, frozen=True):
    """Bars of several symbols over one span of time, at most the asked number of rows.

    `table` has columns symbol (string), ts_event (timestamp[ns], UTC, the bar's close), open,
    high, low, close (decimal128(18, 9)), volume (int64); sorted by symbol, then ts_event.
    Chunks follow each other in time: every row of one is later than every row of the one before.
    """

    table: pa.Table
    start_ns: int
    end_ns: int


class BarFeed(Protocol):
    """Stored bars, streamed in bounded chunks."""

    def symbols(self) -> Sequence[str]:
        """Return the symbols that have rows in the asked range, sorted."""
        ...

    def rows(self) -> int:
        """Return how many rows the whole stream will yield (for progress)."""
        ...

    def chunks(self) -> Iterator[BarChunk]:
        """Yield the bars in time order, unadjusted."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends of the symbols inside the range, by ex-date."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts, one per symbol."""
        ...

    def fingerprint(self) -> str:
        """Return a hash of the exact stored files and range that the stream reads."""
        ...

    @property
    def resolution(self) -> Resolution:
        """Length of the bars."""
        ...


class Fees(msgspec.Struct, frozen=True):
    """Commission of one fill, by who receives it; each a non-negative amount unless a rebate."""

    broker: Nanos = 0
    exchange: Nanos = 0
    regulatory: Nanos = 0

    @property
    def total(self) -> Nanos:
        """Sum of the components."""
        return self.broker + self.exchange + self.regulatory


class CommissionModel(Protocol):
    """A dated fee schedule with its memory (order minimums, monthly tiers); one per run."""

    def charge(self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date) -> Fees:
        """Return the fees of the next fill of an order and remember it."""
        ...

    def forget(self, order_id: str) -> None:
        """Drop the memory of a closed order; models bound their memory without it too."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Unverified rates and approximations that fills were charged with so far."""
        ...


class SlippageModel(Protocol):
    """Cost per share of crossing the spread, always against the order."""

    @property
    def memory(self) -> int:
        """Number of last closes that decide the cost; older ones need not be observed."""
        ...

    def observe(self, symbol: str, close: Nanos) -> None:
        """Take the next bar's close; bars reach the model before the next one is traded in."""
        ...

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Rescale what is remembered of the symbol's prices, before the ex-date's first bar."""
        ...

    def per_share(self, symbol: str, price: Nanos, tick: Nanos) -> Nanos:
        """Return the non-negative cost per share, a whole number of ticks."""
        ...


class BorrowModel(Protocol):
    """Fee on short positions, charged per calendar night held."""

    def accrue(self, quantity: int, close: Nanos, nights: int, day: dt.date) -> Nanos:
        """Return the non-negative fee for a short of `quantity` shares over `nights`."""
        ...


class ImportTask(Protocol):
    """One file, or part of one, that a source can turn into rows of one symbol."""

    @property
    def label(self) -> str:
        """Name for progress and errors: the file, relative to the source's folder."""
        ...

    @property
    def kind(self) -> DataKind:
        """Table the rows belong to."""
        ...

    @property
    def resolution(self) -> Resolution | None:
        """Length of the bars; None for quotes and trades."""
        ...

    @property
    def skipped(self) -> Mapping[str, int]:
        """Rows left out, by reason, once `load` has been read to its end."""
        ...

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield (symbol, rows in the store's schema, sorted by ts_event).

        Raises
        ------
        Failure
            DAMAGED_ARCHIVE, DAMAGED_PARQUET, INVALID_ROW or UNREADABLE_INPUT, naming file and row.
        """
        ...


class Source(Protocol):
    """Where history is imported from; constructing one touches nothing."""

    @property
    def name(self) -> str:
        """Short name kept as provenance in the store's manifest."""
        ...

    def tasks(self) -> Sequence[ImportTask]:
        """List what there is to import, cheaply, in a stable order."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Return the splits, dividends and renames the source knows."""
        ...

    def reference(self) -> ReferenceData:
        """Return earnings dates and borrowable shares the source knows."""
        ...
