"""What a broker reports: orders, executions, positions, the account, and what happens to them."""

from enum import StrEnum

import msgspec

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Side


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
