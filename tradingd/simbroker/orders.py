"""An order at this broker, as it is stored and as it is told."""

from collections.abc import Mapping
from typing import Final

from tradingd.simbroker.amounts import BadRequest, optional_text, parse

BUY: Final = "BUY"
SELL: Final = "SELL"
MARKET: Final = "MARKET"
LIMIT: Final = "LIMIT"
STOP_MARKET: Final = "STOP_MARKET"
STOP_LIMIT: Final = "STOP_LIMIT"
TRAILING_STOP: Final = "TRAILING_STOP"
TYPES: Final = (MARKET, LIMIT, STOP_MARKET, STOP_LIMIT, TRAILING_STOP)

DAY: Final = "DAY"
GTC: Final = "GTC"
IOC: Final = "IOC"
FOK: Final = "FOK"
OPG: Final = "OPG"
CLS: Final = "CLS"
TIMES_IN_FORCE: Final = (DAY, GTC, IOC, FOK, OPG, CLS)
AT_ONCE: Final = (IOC, FOK)
AUCTIONS: Final = (OPG, CLS)

WORKING: Final = "WORKING"
HELD: Final = "HELD"
FILLED: Final = "FILLED"
CANCELED: Final = "CANCELED"
EXPIRED: Final = "EXPIRED"
REJECTED: Final = "REJECTED"

WITH_LIMIT: Final = (LIMIT, STOP_LIMIT)
WITH_STOP: Final = (STOP_MARKET, STOP_LIMIT)
ELECTED: Final = (STOP_MARKET, STOP_LIMIT, TRAILING_STOP)
OPEN: Final = (WORKING, HELD)

ENTRY: Final = "ENTRY"
TARGET: Final = "TARGET"
STOP_LOSS: Final = "STOP_LOSS"

COLUMNS: Final = (
    "broker_order_id",
    "number",
    "client_order_id",
    "symbol",
    "side",
    "quantity",
    "filled",
    "paid",
    "commission",
    "type",
    "limit_price",
    "stop_price",
    "time_in_force",
    "status",
    "reason",
    "triggered",
    "slice",
    "day",
    "arrived",
    "ts",
    "trail",
    "trail_rate",
    "mark",
    "extended",
    "group_id",
    "role",
)
"""Attributes of an order, which are the columns of its table."""


class Order:
    """One order; `ts` is the market time of its last change, `arrived` of its arrival.

    `triggered` marks a stop that has been elected. `slice` is the most shares one execution may
    take (0: no bound; a fault). `day` is the New York day number a DAY order is good for, 0 until
    the first market message after its arrival decides it.

    A trailing stop has `trail` (1e-9 dollars a share) or `trail_rate` (1e-9 of the price), and
    `mark`, the best price since its arrival. `extended` orders trade outside regular hours too.
    Orders of one `group_id` are tied together; `role` says how (see `groups`).
    """

    __slots__ = COLUMNS

    def __init__(self) -> None:
        self.broker_order_id = ""
        self.number = 0
        self.client_order_id = ""
        self.symbol = ""
        self.side = BUY
        self.quantity = 0
        self.filled = 0
        self.paid = 0
        self.commission = 0
        self.type = MARKET
        self.limit_price: int | None = None
        self.stop_price: int | None = None
        self.time_in_force = DAY
        self.status = WORKING
        self.reason = ""
        self.triggered = 0
        self.slice = 0
        self.day = 0
        self.arrived = 0
        self.ts = 0
        self.trail: int | None = None
        self.trail_rate: int | None = None
        self.mark: int | None = None
        self.extended = 0
        self.group_id = ""
        self.role = ""

    @property
    def remaining(self) -> int:
        """Shares that are not filled."""
        return self.quantity - self.filled

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sale."""
        return 1 if self.side == BUY else -1

    @property
    def waits_for_stop(self) -> bool:
        """True while the stop price has not been reached."""
        return self.type in ELECTED and not self.triggered

    @property
    def takes_any_price(self) -> bool:
        """True for a market order and for a stop order that has been elected."""
        if self.type in (STOP_MARKET, TRAILING_STOP):
            return bool(self.triggered)
        return self.type == MARKET

    @property
    def open(self) -> bool:
        """True while something may still happen to the order."""
        return self.status in OPEN

    def row(self) -> tuple[object, ...]:
        """Return the values of `COLUMNS`."""
        return tuple(getattr(self, name) for name in COLUMNS)

    def view(self) -> dict[str, object]:
        """Return the order as a client sees it."""
        return {
            "client_order_id": self.client_order_id,
            "broker_order_id": self.broker_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "quantity": self.quantity,
            "filled": self.filled,
            "type": self.type,
            "limit": optional_text(self.limit_price),
            "stop": optional_text(self.stop_price),
            "time_in_force": self.time_in_force,
            "status": self.status,
            "reason": self.reason,
            "ts": self.ts,
        }


def from_row(row: tuple[object, ...]) -> Order:
    """Rebuild an order from its columns."""
    order = Order()
    for name, value in zip(COLUMNS, row, strict=True):
        setattr(order, name, value)
    return order


def read(message: Mapping[str, object]) -> Order:
    """Build the order that a submit message describes.

    Raises
    ------
    BadRequest
        When a field is missing or of the wrong kind. What is understood and not acceptable is
        for `objection` to say.
    """
    order = Order()
    order.client_order_id = text_field(message, "client_order_id", default="")
    order.symbol = text_field(message, "symbol")
    order.side = _word(message, "side", (BUY, SELL))
    order.type = _word(message, "type", TYPES)
    order.time_in_force = _word(message, "time_in_force", TIMES_IN_FORCE, default=DAY)
    order.quantity = whole_field(message, "quantity")
    order.limit_price = price_field(message, "limit")
    order.stop_price = price_field(message, "stop")
    order.trail = price_field(message, "trail")
    order.trail_rate = price_field(message, "trail_rate")
    order.extended = int(message.get("extended") is True)
    return order


def objection(order: Order) -> str:
    """Return why an order that was understood is rejected; empty when it is acceptable."""
    if not order.symbol:
        return "no symbol"
    if not 0 < order.quantity <= 10_000_000:
        return f"quantity {order.quantity} is not between 1 and 10,000,000"
    wanted = (
        ("limit", order.limit_price, order.type in WITH_LIMIT),
        ("stop", order.stop_price, order.type in WITH_STOP),
    )
    for name, price, needed in wanted:
        if needed and (price is None or price <= 0):
            return f"a {order.type} order needs a {name} price above zero"
        if not needed and price is not None:
            return f"a {order.type} order has no {name} price"
    if order.type not in (MARKET, LIMIT) and order.time_in_force in (*AT_ONCE, *AUCTIONS):
        return f"a {order.type} order cannot be {order.time_in_force}"
    return _trail_objection(order)


def _trail_objection(order: Order) -> str:
    given = [value for value in (order.trail, order.trail_rate) if value is not None]
    if order.type != TRAILING_STOP:
        return f"a {order.type} order has no trail" if given else ""
    if len(given) != 1 or given[0] <= 0:
        return f"a {order.type} order needs a trail or a trail_rate above zero, not both"
    return ""


def _word(
    message: Mapping[str, object], name: str, words: tuple[str, ...], default: str | None = None
) -> str:
    value = text_field(message, name, default)
    if value not in words:
        raise BadRequest(f"{name} must be one of {', '.join(words)}, not {value!r}")
    return value


def text_field(message: Mapping[str, object], name: str, default: str | None = None) -> str:
    """Return a text field of a message."""
    value = message.get(name, default)
    if not isinstance(value, str) or len(value) > 200:
        raise BadRequest(f"{name} must be a text of at most 200 characters, not {value!r}")
    return value


def whole_field(message: Mapping[str, object], name: str, default: int | None = None) -> int:
    """Return a whole number of a message."""
    value = message.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**62:
        raise BadRequest(f"{name} must be a whole number, not {value!r}")
    return value


def price_field(message: Mapping[str, object], name: str) -> int | None:
    """Return a price of a message; None when it is missing or null."""
    value = message.get(name)
    return None if value is None else parse(value, name)
