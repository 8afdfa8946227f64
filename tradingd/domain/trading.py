"""The order shim as its users see it: engine, operator and kill switch talk to this Protocol."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.journal import OrderRow
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill, OrderType, Purpose, Side, Verdict
from tradingd.domain.states import Scope


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An order somebody wants to send.

    `protective_stop` and `take_profit` ask the shim to guard the position from the fill on (a
    bracket: one cancels the other). `ts` is data time; `expires` data time after which an order
    that is not filled is cancelled. A trailing stop has either `trail` (dollars a share) or
    `trail_bps` (of the price), and no other price.
    """

    strategy: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    purpose: Purpose
    reason: str
    ts: int
    limit: Nanos | None = None
    stop: Nanos | None = None
    protective_stop: Nanos | None = None
    take_profit: Nanos | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    expires: int | None = None
    parent_id: str = ""
    trail: Nanos | None = None
    trail_bps: int | None = None
    extended_hours: bool = False


class Admission(msgspec.Struct, frozen=True):
    """The shim's answer to a wish: its order id, and the gate's verdict."""

    order_id: str
    verdict: Verdict

    @property
    def allowed(self) -> bool:
        """True when the order is on its way."""
        return self.verdict.allowed


class Step(StrEnum):
    """What happened to an order."""

    DENIED = "denied"
    WOULD_HAVE = "would_have"
    INTENT = "intent"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    FILL = "fill"
    REPLACED = "replaced"
    CANCEL_ASKED = "cancel_asked"
    CANCELED = "canceled"
    EXPIRED = "expired"
    LOST = "lost"
    RECOVERED = "recovered"


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step, with the order as it is after it; `fill` only for Step.FILL."""

    step: Step
    order: OrderRow
    detail: str = ""
    fill: Fill | None = None
    fill_id: str = ""
    wall: int = 0


type Listener = Callable[[OrderEvent], None]


class OrderShim(Protocol):
    """Gate, write-ahead intent, send, outcome, event: once, for every broker.

    All methods run on the event loop's thread. `submit` is synchronous: it judges at once, and the
    rest happens in a task of the shim; listeners hear every step in order.
    """

    def submit(self, wish: Wish, *, order_id: str | None = None) -> Admission:
        """Judge a wish and send it; a denied one is recorded and goes nowhere.

        `order_id` (from `next_id`) lets a caller know the id before it submits.
        """
        ...

    def next_id(self, *, strategy: str = "", purpose: Purpose | None = None) -> str:
        """Return an order id that has never been used, not even by an earlier process.

        It names the strategy and what the order is for, as far as they are told, so that its owner
        can be found from the broker's records alone.
        """
        ...

    def cancel(self, order_id: str, *, reason: str) -> bool:
        """Ask for a cancel; False when the order is already over."""
        ...

    def replace(
        self,
        order_id: str,
        *,
        quantity: int | None = None,
        limit: Nanos | None = None,
        stop: Nanos | None = None,
        reason: str,
    ) -> Verdict:
        """Change a working order; a change that enlarges the risk passes the gate again."""
        ...

    def guard(
        self, symbol: str, *, stop: Nanos | None, take_profit: Nanos | None = None, reason: str
    ) -> Verdict:
        """Set or move the protection of a position (None stop removes it)."""
        ...

    async def cancel_all(self, scope: Scope, *, reason: str, author: str) -> Sequence[str]:
        """Cancel every working order in scope; return the ids when all are confirmed final.

        Protective orders stay while their position does, unless the scope is flattened next.
        """
        ...

    async def flatten(self, scope: Scope, *, reason: str, author: str) -> bool:
        """Cancel, close at market, verify with the broker; True when proven flat."""
        ...

    def open_orders(self) -> Sequence[OrderRow]:
        """Return the orders that are not over, oldest first."""
        ...

    def order(self, order_id: str) -> OrderRow | None:
        """Return an order of this process or one that was recovered."""
        ...

    def stop_price(self, symbol: str) -> Nanos | None:
        """Return the price of the stop that guards a symbol."""
        ...

    def owners(self) -> Mapping[str, str]:
        """Return which strategy owns the position of each symbol."""
        ...

    def listen(self, listener: Listener) -> None:
        """Hear every step of every order from now on; a listener must not raise or block."""
        ...
