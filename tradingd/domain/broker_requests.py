"""What is asked of a broker: an order as it is sent, and what of it a broker takes."""

from enum import StrEnum

import msgspec

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
