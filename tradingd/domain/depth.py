"""Order books: what a depth feed tells, and who listens."""

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec

from tradingd.domain.money import Nanos

type Action = Literal["A", "C", "M", "R", "T", "F", "N"]
"""Databento's letters: add, cancel, modify, clear the book, trade, fill, none."""

type BookSide = Literal["B", "A", "N"]
"""Bid, ask, none; of a trade the side of the aggressor: ``B`` a buyer took the ask."""

type Ladder = tuple[int | None, ...]
"""A book as one flat row, per level from the best: bid price, ask price (Nanos, None: no such
level), bid size, ask size (shares; 0: no such level), bid orders, ask orders (None: not told)."""


class DepthEvent(msgspec.Struct, frozen=True, gc=False):
    """One record of a depth feed, and how to read the book after it.

    `ts_event` is the venue's time and `ts_recv` that of whoever received it first (the vendor; our
    own where it does not say), both UTC ns; `ts_recv` never goes back within a symbol. An event
    may be told in several records; the book is whole only after one that `closes`. `suspect`: the
    vendor itself doubts the book. `book(levels)` gives the state after the record, at any time.
    `sequence` is the venue's, 0 where there is none; `depth` the level touched, 0 the best.
    """

    symbol: str
    ts_event: int
    ts_recv: int
    sequence: int
    action: Action
    side: BookSide
    depth: int
    price: Nanos | None
    size: int
    closes: bool
    suspect: bool
    book: Callable[[int], Ladder]


class DepthGap(msgspec.Struct, frozen=True, kw_only=True):
    """Records that were, or may have been, lost; `lost` is their number where it is known."""

    symbol: str
    ts: int
    reason: Literal["reconnect", "sequence", "dropped", "cleared", "refused"]
    lost: int = 0
    detail: str = ""


class DepthListener(Protocol):
    """Hears a depth feed; called on the loop, in data order, and must not block."""

    def event(self, event: DepthEvent) -> None:
        """Take one record."""
        ...

    def reached(self, ts: int) -> None:
        """Hear that every record with ``ts_recv <= ts`` was told, of all symbols (UTC ns)."""
        ...

    def gap(self, gap: DepthGap) -> None:
        """Hear that records were lost."""
        ...


class DepthFeed(Protocol):
    """A source of live or replayed order books. Constructing one touches nothing."""

    @property
    def label(self) -> str:
        """What a person must see beside every number: ``XNAS.ITCH``, ``replay of FROG...``."""
        ...

    @property
    def source(self) -> str:
        """Short word kept as provenance: ``databento``, ``ibkr``, ``replay``."""
        ...

    @property
    def levels(self) -> int:
        """Levels a side that it can tell."""
        ...

    @property
    def replayed(self) -> bool:
        """True when data time is not wall time."""
        ...

    def symbols(self) -> frozenset[str] | None:
        """Return the symbols it has, where they are known before asking; None: ask."""
        ...

    def listen(self, listener: DepthListener) -> None:
        """Name who hears; called once, before `open`."""
        ...

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        Failure
            FEED or CONFIG, naming the host.
        """
        ...

    async def subscribe(self, symbol: str) -> None:
        """Begin to tell one symbol's book.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL, or FEED when the vendor refuses another stream.
        """
        ...

    async def unsubscribe(self, symbol: str) -> None:
        """Stop telling it; one that is not subscribed is no error."""
        ...

    async def run(self) -> None:
        """Tell until `close`, or until a replay is over; a lost connection is mended within.

        Raises
        ------
        Failure
            FEED, when it cannot go on.
        """
        ...

    async def close(self) -> None:
        """Stop telling and let go of files and sockets."""
        ...


@runtime_checkable
class Dropping(Protocol):
    """A depth feed that may have to drop records which come faster than they are taken."""

    @property
    def dropped(self) -> int:
        """Records dropped since the start; each run of them was told as a `DepthGap` too."""
        ...


@runtime_checkable
class Patient(Protocol):
    """A listener that a replay waits for; a live feed cannot."""

    async def room(self) -> None:
        """Return once the listener can take more without losing any."""
        ...
