"""What every broker is to us: one Protocol, engine-neutral, with three outcomes of a command.

A command ends accepted, rejected or unknown. Unknown is not rejection: the message may have
arrived, so the order stays open until the broker has been asked by its client order id.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Side


class TimeInForce(StrEnum):
    """How long an order works at the broker.

    OPG and CLS take part in the opening or closing auction only; IOC fills what it can at once and
    FOK all or nothing.
    """

    DAY = "DAY"
    GTC = "GTC"
    OPG = "OPG"
    CLS = "CLS"
    IOC = "IOC"
    FOK = "FOK"


class OrderClass(StrEnum):
    """Whether an order comes with others that the broker itself ties to it.

    BRACKET: an entry, then a target and a stop of which one cancels the other. OTO: an entry, then
    one of the two. OCO: target and stop of a position that exists.
    """

    SIMPLE = "SIMPLE"
    BRACKET = "BRACKET"
    OCO = "OCO"
    OTO = "OTO"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker takes; what it does not take is refused before it is sent.

    `exits_share` tells whether two resting exits may cover the same shares. Where they may not
    (the broker holds the shares of every working sale back), the shim rests the stop alone and
    watches the target itself. `opposite_orders` tells whether an order may work beside one of the
    other side that it could trade with; where it may not, entries give way to stops and exits, and
    are denied beside them. `lockstep` marks a broker that can say when all it has done so far
    was heard, which a replay waits for.
    """

    types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    classes: frozenset[OrderClass] = frozenset({OrderClass.SIMPLE})
    extended_hours: bool = False
    exits_share: bool = True
    opposite_orders: bool = True
    lockstep: bool = False


class BrokerStatus(StrEnum):
    """State of an order as the broker tells it."""

    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def final(self) -> bool:
        """True when nothing more can happen to the order, late fills apart."""
        return self is not BrokerStatus.WORKING


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is sent; `client_order_id` is ours, unique for ever, and never sent twice.

    A trailing stop has either `trail` (dollars a share) or `trail_bps` (of the price). Orders that
    reduce risk are `urgent`: they go before others where the broker limits the rate. `take_profit`
    (a limit), `stop_loss` and `stop_loss_limit` belong to the classes with legs.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    limit: Nanos | None = None
    stop: Nanos | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    trail: Nanos | None = None
    trail_bps: int | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Nanos | None = None
    stop_loss: Nanos | None = None
    stop_loss_limit: Nanos | None = None
    urgent: bool = False


class BrokerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the broker reports it; `client_order_id` is empty for orders of others.

    `parent_order_id` is the broker's id of the order that a leg belongs to.
    """

    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    status: BrokerStatus
    filled: int = 0
    limit: Nanos | None = None
    stop: Nanos | None = None
    reason: str = ""
    ts: int = 0
    time_in_force: TimeInForce = TimeInForce.DAY
    parent_order_id: str = ""


class BrokerFill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; `fill_id` is the broker's and unique, so a repeated report changes nothing.

    `ts` is the broker's time of the execution in UTC ns (data time at the simulated broker).
    """

    fill_id: str
    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    price: Nanos
    commission: Nanos
    ts: int


class BrokerPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Signed shares the broker says the account holds; None where it does not tell.

    `fraction` is what no order of whole shares can close, in nanos of a share, with the sign of the
    position: a position of 10.5 shares is 10 and 500,000,000. It is never ours.
    """

    symbol: str
    quantity: int
    average_price: Nanos = 0
    mark: Nanos | None = None
    unrealized: Nanos | None = None
    fraction: Nanos = 0


class BrokerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account as the broker reports it; `blocked` says why it may not trade, else empty."""

    account_id: str
    cash: Nanos
    equity: Nanos
    buying_power: Nanos | None = None
    blocked: str = ""


class AssetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker allows with one symbol."""

    symbol: str
    tradable: bool = True
    shortable: bool = True
    easy_to_borrow: bool = True
    fractionable: bool = False


class OrderUpdate(msgspec.Struct, frozen=True, tag=True):
    """An order changed its state at the broker."""

    order: BrokerOrder


class FillUpdate(msgspec.Struct, frozen=True, tag=True):
    """An execution."""

    fill: BrokerFill


class AdjustmentUpdate(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The broker changed shares or cash without a trade: split, dividend, borrow fee.

    `numerator`/`denominator` restate prices and orders of a split (1/1 otherwise); `shares` is the
    signed change of the position, `cash` the amount received.
    """

    adjustment_id: str
    kind: str
    symbol: str
    shares: int
    cash: Nanos
    numerator: int = 1
    denominator: int = 1
    ts: int = 0


class ConnectionUpdate(msgspec.Struct, frozen=True, tag=True):
    """The connection was lost or is back; back means: reconcile before anything else is sent."""

    connected: bool
    reason: str


type BrokerEvent = OrderUpdate | FillUpdate | AdjustmentUpdate | ConnectionUpdate


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """The broker has the order (or the change, or the cancel request)."""

    broker_order_id: str


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """The broker says that it does not and will not have it."""

    reason: str


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """No answer that proves either; to be settled by asking for the client order id."""

    why: str


type Outcome = Accepted | Rejected | Unknown


class BrokerUnavailable(Exception):
    """A question to the broker got no answer: not connected, timed out, broken stream."""


class Broker(Protocol):
    """A connection to one account.

    Commands (`submit`, `replace`, `cancel`) never raise for what the broker or the network does:
    they return an `Outcome`. Questions raise `BrokerUnavailable`. Reconnecting is the broker's own
    work; it tells by `ConnectionUpdate`.
    """

    @property
    def name(self) -> str:
        """Kind of broker, e.g. ``simulated``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the broker takes."""
        ...

    @property
    def connected(self) -> bool:
        """What the client believes; health checks use `ping` instead."""
        ...

    async def connect(self) -> BrokerAccount:
        """Connect and log in; return the account.

        Raises
        ------
        Failure
            BROKER, when there is nothing to talk to or the login is refused.
        """
        ...

    async def close(self) -> None:
        """Disconnect; orders stay where they are."""
        ...

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once."""
        ...

    async def replace(
        self, client_order_id: str, *, quantity: int, limit: Nanos | None, stop: Nanos | None
    ) -> Outcome:
        """Change a working order in place; `quantity` is its new total."""
        ...

    async def cancel(self, client_order_id: str) -> Outcome:
        """Ask for a cancel; the confirmation comes as an `OrderUpdate`."""
        ...

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Cancel one order by the broker's id, an order of others too (kill switch, repair)."""
        ...

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        """Return what the broker knows of an order; None proves that it does not have it now."""
        ...

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account, those of others too."""
        ...

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        """Return executions at or after a broker time, oldest first."""
        ...

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return adjustments at or after a broker time, oldest first; empty where none exist."""
        ...

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat."""
        ...

    async def account(self) -> BrokerAccount:
        """Return cash and equity."""
        ...

    async def ping(self) -> float:
        """Return the seconds of one round trip to the broker, not to our own buffers."""
        ...

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Yield what happens from `connect` on, in order; may repeat itself, never skips.

        After a reconnect it begins with what happened in between, where the broker can tell.
        """
        ...


class Lockstep(Protocol):
    """A broker with `Capabilities.lockstep`."""

    async def drained(self) -> None:
        """Wait until the events that have come were taken by whoever follows them."""
        ...

    async def caught_up(self) -> int:
        """Wait until all that the broker has done so far was taken; return its last event."""
        ...


@runtime_checkable
class AssetBook(Protocol):
    """A broker that tells what may be traded and sold short."""

    async def assets(self, symbols: Sequence[str]) -> Sequence[AssetFacts]:
        """Return the facts of the symbols it knows; an unknown symbol is left out.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        ...


@runtime_checkable
class BrokerClock(Protocol):
    """A broker that tells its time, to measure the drift of ours."""

    async def time(self) -> int:
        """Return the broker's time in UTC ns.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        ...


class MarketSink(Protocol):
    """A simulated broker that must be told the market it trades in."""

    async def market(self, batch: Batch) -> None:
        """Tell it the next bars; its fills of them are on the event stream when this returns."""
        ...

    async def corporate_action(self, action: CorporateAction, ts: int) -> None:
        """Tell it a split or dividend that takes effect now (data time, UTC ns)."""
        ...
