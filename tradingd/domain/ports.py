"""Protocols between layers: what the engine asks of history, costs and sessions."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
import pyarrow as pa

from tradingd.domain.market import CorporateAction, Instrument, Resolution
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
        """Symbols that have rows in the asked range, sorted."""
        ...

    def rows(self) -> int:
        """Rows that the whole stream will yield (for progress)."""
        ...

    def chunks(self) -> Iterator[BarChunk]:
        """Yield the bars in time order, unadjusted."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Splits and dividends of the symbols inside the range, by ex-date."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Trading facts, one per symbol."""
        ...

    def fingerprint(self) -> str:
        """Hash of the exact stored files and range that the stream reads."""
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

    def charge(
        self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date
    ) -> Fees:
        """Return the fees of the next fill of an order and remember it."""
        ...


class SlippageModel(Protocol):
    """Cost per share of crossing the spread, always against the order."""

    def observe(self, symbol: str, close: Nanos) -> None:
        """Take the next bar's close (called once per bar, before orders of that bar)."""
        ...

    def per_share(self, symbol: str, price: Nanos, tick: Nanos) -> Nanos:
        """Return the non-negative cost per share, a whole number of ticks."""
        ...


class BorrowModel(Protocol):
    """Fee on short positions, charged per calendar night held."""

    def accrue(self, quantity: int, close: Nanos, nights: int, day: dt.date) -> Nanos:
        """Return the non-negative fee for a short of `quantity` shares over `nights`."""
        ...
