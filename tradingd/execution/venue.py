"""Where the children of worked orders go: a backtest's desk or a session's shim behind it."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be sent; at the market without a `limit`. `expires` is data time."""

    symbol: str
    side: Side
    quantity: int
    entry: bool
    reason: str
    parent_id: str
    limit: Nanos | None
    stop: Nanos | None
    expires: int | None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A worked order that is over with shares left, and why."""

    parent_id: str
    symbol: str
    side: Side
    quantity: int
    filled: int
    remainder: int
    reason: str
    why: str


class Venue(Protocol):
    """Where children go."""

    def now(self) -> int:
        """Return session time, UTC ns."""
        ...

    def next_id(self) -> str:
        """Return an id for a worked order, never used before."""
        ...

    def tick(self, symbol: str) -> Nanos:
        """Return the price increment of a symbol."""
        ...

    def held(self, symbol: str) -> int:
        """Return the signed shares the strategy holds."""
        ...

    def leaving(self, symbol: str) -> int:
        """Return the shares that market exits are taking out."""
        ...

    def stop(self, symbol: str) -> Nanos | None:
        """Return the protective stop that stands."""
        ...

    def session(self, now: int) -> Session | None:
        """Return the session an order decided now trades in: this one, or the next."""
        ...

    def place(self, child: Child) -> tuple[str, str]:
        """Send a child; return its id, or no id and why it may not leave."""
        ...

    def cancel(self, child_id: str, reason: str) -> None:
        """Take a child back; its end is told by `Floor.over`."""
        ...

    def waits(self, child_id: str) -> bool:
        """Tell whether a child has not left yet (it waits for a person)."""
        ...

    def later(self, action: Callable[[], None]) -> None:
        """Act outside of the event that is being told."""
        ...

    def wake(self, ts: int, parent_id: str, action: Callable[[], None]) -> Callable[[], None]:
        """Call `action` at a time of the wall clock; return what makes it never happen."""
        ...

    def report(self, ended: Ended) -> None:
        """Record what was not filled."""
        ...
