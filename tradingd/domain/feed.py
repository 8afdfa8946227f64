"""Live or replayed market data: batches of bars that close at the same moment."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.domain.money import Nanos


class MarketBar(msgspec.Struct, frozen=True, gc=False):
    """One bar; prices in Nanos, unadjusted; its time is the batch's."""

    symbol: str
    open: Nanos
    high: Nanos
    low: Nanos
    close: Nanos
    volume: int


class Batch(msgspec.Struct, frozen=True):
    """All bars that close at `ts` (UTC ns), by symbol."""

    ts: int
    bars: tuple[MarketBar, ...]


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of one symbol; `ts` is the venue's time, UTC ns."""

    symbol: str
    bid: Nanos
    ask: Nanos
    bid_size: int
    ask_size: int
    ts: int


class TradingHalt(msgspec.Struct, frozen=True, kw_only=True):
    """Trading in a symbol was halted or goes on (regulatory halt, LULD pause)."""

    symbol: str
    halted: bool
    reason: str
    ts: int


@runtime_checkable
class LiveStreams(Protocol):
    """What a live feed tells beside bars; listeners are called on the loop and must not block."""

    def listen(
        self, *, quote: Callable[[Quote], None], halt: Callable[[TradingHalt], None]
    ) -> None:
        """Hear quotes and halts from now on; called once, before `open`."""
        ...

    def mute(self) -> Sequence[str]:
        """Return symbols that are subscribed and silent for too long while others speak."""
        ...


@runtime_checkable
class Freezable(Protocol):
    """A feed whose bars can be held back on purpose, for a drill."""

    def freeze(self, seconds: float) -> None:
        """Hand over nothing for so many wall seconds."""
        ...


@runtime_checkable
class Renewing(Protocol):
    """A feed that hears of new corporate actions while it runs."""

    async def refresh(self) -> None:
        """Ask for them anew; `Feed.actions` then has them.

        Raises
        ------
        Failure
            When there is no answer; what was known stands.
        """
        ...


@runtime_checkable
class Counting(Protocol):
    """A feed that counts what was not as it should be."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Totals since the start, by kind (late, twice, garbage, reconnects, ...)."""
        ...


class Feed(Protocol):
    """A source of live bars. Constructing one touches nothing."""

    @property
    def label(self) -> str:
        """What a person must see beside every number: ``replay of sample``, ``SYNTHETIC`` ..."""
        ...

    @property
    def synthetic(self) -> bool:
        """True when the prices are invented; then everything that shows them says so."""
        ...

    @property
    def replayed(self) -> bool:
        """True when data time is not wall time; session logic then follows the data."""
        ...

    @property
    def resolution(self) -> Resolution:
        """Length of the bars."""
        ...

    @property
    def seconds_between(self) -> float:
        """Wall seconds between batches while the market is open, for the staleness limits."""
        ...

    async def open(self, resume_after: int) -> None:
        """Prepare to stream bars after a data time (UTC ns; 0: from the configured start)."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts of the feed's symbols."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Return the splits and dividends up to the end of the streamed range, by ex-date."""
        ...

    async def history(self, before: int, bars: int) -> Sequence[Batch]:
        """Return up to `bars` batches that end at or before a data time, for warm-up."""
        ...

    def batches(self) -> AsyncIterator[Batch]:
        """Yield batches in time order, paced; ends when a replay is over.

        Batch n is only produced when the consumer asks for it, so a slow consumer slows a replay
        down and nothing queues up.
        """
        ...

    async def close(self) -> None:
        """Stop streaming and let go of files and sockets."""
        ...
