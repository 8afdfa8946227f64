"""Alpaca -> domain, pure and tolerant: a field that is new, missing or odd stops nothing.

What must not be wrong (ids, sides, amounts of what is ours) raises `Unreadable`; everything else
has a value that is safe: an unknown status counts as working, so nothing is taken for over.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from tradingd.brokers.alpaca import times
from tradingd.domain.broker_reports import AssetFacts, BrokerAccount, BrokerPosition, BrokerStatus
from tradingd.domain.broker_requests import OrderClass, TimeInForce
from tradingd.domain.money import Nanos, rounded
from tradingd.domain.orders import OrderType, Side

type Body = Mapping[str, Any]

FINAL: Final = {
    "filled": BrokerStatus.FILLED,
    "canceled": BrokerStatus.CANCELED,
    "expired": BrokerStatus.EXPIRED,
    "rejected": BrokerStatus.REJECTED,
}
"""Statuses after which nothing more happens; ``replaced`` is over too, but a new order goes on."""

REPLACED: Final = "replaced"

_TYPES: Final = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP_MARKET,
    "stop_limit": OrderType.STOP_LIMIT,
    "trailing_stop": OrderType.TRAILING_STOP,
}
_TIMES: Final = {time.value.lower(): time for time in TimeInForce}
_CLASSES: Final = {one.value.lower(): one for one in OrderClass}

_INACTIVE: Final = frozenset(
    {"INACTIVE", "ONBOARDING", "SUBMISSION_FAILED", "SUBMITTED", "APPROVAL_PENDING", "REJECTED"}
    | {"ACCOUNT_CLOSED", "DISABLED"}
)


class Unreadable(ValueError):
    """An answer lacks what cannot be done without."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One order at Alpaca: a whole order, one link of a replaced one, or a leg.

    `quantity` and `filled` are whole shares; `note` says what cannot be told in whole shares.
    Times are UTC ns.
    """

    id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    filled: int
    type: OrderType
    status: str
    limit: Nanos | None = None
    stop: Nanos | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    order_class: OrderClass | None = None
    replaces: str = ""
    replaced_by: str = ""
    group: str = ""
    role: str = ""
    note: str = ""
    submitted: int = 0
    updated: int = 0

    @property
    def over(self) -> bool:
        """True when nothing more can happen to this link."""
        return self.status in FINAL or self.status == REPLACED


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, from the stream or from the activities; `cumulative` None: not told."""

    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    cumulative: Decimal | None
    price: Nanos
    ts: int
    activity: str = ""

    def fill_id(self, cumulative: Decimal) -> str:
        """Return the id that stream and activities agree on."""
        return f"{self.order_id}:{plain(cumulative)}"


def rows(body: object) -> list[Body]:
    """Return a list of objects."""
    if not isinstance(body, list):
        raise Unreadable(f"a list was expected, not {type(body).__name__}")
    return [row for row in body if isinstance(row, dict)]


def row(body: object) -> Body:
    """Return an object."""
    if not isinstance(body, dict):
        raise Unreadable(f"an object was expected, not {type(body).__name__}")
    return body


def link(body: Body) -> Link:
    """Read an order.

    Raises
    ------
    Unreadable
        When it has no id.
    """
    if not (order_id := text(body, "id")):
        raise Unreadable("an order without an id")
    quantity, notes = amount(body, "qty"), []
    filled = amount(body, "filled_qty") or Decimal(0)
    if quantity is None:
        notional = amount(body, "notional")
        notes.append(f"for {notional} dollars" if notional else "of no known quantity")
        quantity = filled
    if quantity % 1 or filled % 1:
        notes.append(f"for {plain(quantity)} shares, {plain(filled)} filled: not whole")
    kind = _kind(body)
    return Link(
        id=order_id,
        client_order_id=text(body, "client_order_id"),
        symbol=text(body, "symbol") or "?",
        side=side(body),
        quantity=int(quantity.to_integral_value(ROUND_CEILING)),
        filled=int(filled.to_integral_value(ROUND_FLOOR)),
        type=kind,
        status=text(body, "status"),
        limit=price(body, "limit_price"),
        # That of a trailing stop moves with the market: no value of ours.
        stop=None if kind is OrderType.TRAILING_STOP else price(body, "stop_price"),
        time_in_force=_TIMES.get(text(body, "time_in_force"), TimeInForce.DAY),
        order_class=_CLASSES.get(text(body, "order_class") or "simple"),
        replaces=text(body, "replaces"),
        replaced_by=text(body, "replaced_by"),
        group=text(body, "group_id"),
        role=text(body, "group_role"),
        note="; ".join(notes),
        submitted=times.ns(body.get("submitted_at")) or times.ns(body.get("created_at")),
        updated=max(times.ns(body.get(f"{what}_at")) for what in _MOMENTS),
    )


_MOMENTS: Final = ("updated", "submitted", "filled", "canceled", "expired", "replaced", "failed")


def legs(body: Body) -> list[Body]:
    """Return the legs nested in an order."""
    found = body.get("legs")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def told_execution(data: Body) -> Execution | None:
    """Read the execution in an event of the stream; None when it tells of none."""
    order = row(data.get("order"))
    quantity, paid = amount(data, "qty"), price(data, "price")
    if data.get("event") not in ("fill", "partial_fill") or not quantity or paid is None:
        return None
    return Execution(
        order_id=text(order, "id"),
        symbol=text(order, "symbol") or "?",
        side=side(order),
        quantity=abs(quantity),
        cumulative=amount(order, "filled_qty"),
        price=paid,
        ts=times.ns(data.get("timestamp")) or times.ns(order.get("filled_at")),
    )


def executions(bodies: Iterable[Body]) -> list[Execution]:
    """Read FILL activities; what is none is left out.

    Raises
    ------
    Unreadable
        When one has no order, quantity or price.
    """
    found = []
    for body in bodies:
        if text(body, "activity_type") not in ("", "FILL"):
            continue
        quantity, paid = amount(body, "qty"), price(body, "price")
        if not text(body, "order_id") or not quantity or paid is None:
            raise Unreadable("an execution without order, quantity or price")
        found.append(
            Execution(
                order_id=text(body, "order_id"),
                symbol=text(body, "symbol") or "?",
                side=side(body),
                quantity=abs(quantity),
                cumulative=amount(body, "cum_qty"),
                price=paid,
                ts=times.ns(body.get("transaction_time")),
                activity=text(body, "id"),
            )
        )
    return found


def position(body: Body) -> tuple[BrokerPosition, str]:
    """Read a position, and what of it is no whole share (empty: nothing)."""
    quantity = amount(body, "qty")
    if quantity is None or not text(body, "symbol"):
        raise Unreadable("a position without symbol or quantity")
    signed = -abs(quantity) if text(body, "side") == "short" else quantity
    whole = int(signed)
    found = BrokerPosition(
        symbol=text(body, "symbol"),
        quantity=whole,
        average_price=price(body, "avg_entry_price") or 0,
        mark=price(body, "current_price"),
        unrealized=price(body, "unrealized_pl"),
        fraction=rounded(signed - whole),
    )
    return found, "" if signed == whole else f"{found.symbol}: {plain(signed)} shares"


def account(body: Body) -> BrokerAccount:
    """Read the account; fields that Alpaca has dropped or added do not matter.

    Raises
    ------
    Unreadable
        Without cash or equity.
    """
    cash = price(body, "cash")
    equity = price(body, "equity")
    equity = price(body, "portfolio_value") if equity is None else equity
    if cash is None or equity is None:
        raise Unreadable("an account without cash or equity")
    return BrokerAccount(
        account_id=text(body, "account_number"),
        cash=cash,
        equity=equity,
        buying_power=price(body, "buying_power"),
        blocked=_blocked(body),
    )


def asset(body: Body) -> AssetFacts:
    """Read what may be done with a symbol; what is not told is taken for no."""
    return AssetFacts(
        symbol=text(body, "symbol"),
        tradable=body.get("tradable") is True and text(body, "status") in ("", "active"),
        shortable=body.get("shortable") is True,
        easy_to_borrow=body.get("easy_to_borrow") is True
        or body.get("borrow_status") == "easy_to_borrow",
        fractionable=body.get("fractionable") is True,
    )


def text(body: Body, name: str) -> str:
    """Return a text, empty where there is none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def amount(body: Body, name: str) -> Decimal | None:
    """Return a number that comes as text or as a JSON number."""
    value = body.get(name)
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def price(body: Body, name: str) -> Nanos | None:
    """Return an amount of money; Alpaca's averages are rounded to nine decimals."""
    number = amount(body, name)
    return None if number is None else rounded(number)


def side(body: Body) -> Side:
    """Return the side; ``sell_short`` of the activities is a sale."""
    return Side.SELL if text(body, "side").startswith("sell") else Side.BUY


def plain(number: Decimal) -> str:
    """Write a number without exponent and without zeros at its end."""
    return f"{number.normalize():f}"


def _kind(body: Body) -> OrderType:
    said = text(body, "type") or text(body, "order_type")
    if said in _TYPES:
        return _TYPES[said]
    limit, stop = body.get("limit_price"), body.get("stop_price")
    if stop is not None:
        return OrderType.STOP_MARKET if limit is None else OrderType.STOP_LIMIT
    return OrderType.MARKET if limit is None else OrderType.LIMIT


def _blocked(body: Body) -> str:
    """Say why the account may not trade; an unknown status is no reason."""
    reasons = [
        name.replace("_", " ")
        for name in ("account_blocked", "trading_blocked", "trade_suspended_by_user")
        if body.get(name) is True
    ]
    status = text(body, "status").upper()
    if status in _INACTIVE:
        reasons.append(f"status {status}")
    return ", ".join(reasons)
