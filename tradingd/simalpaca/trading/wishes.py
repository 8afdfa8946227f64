"""What a client wants: the body of a new order, and of a replacement, read but not judged."""

from typing import Final, NamedTuple

from tradingd.simalpaca.trading.errors import bad_field
from tradingd.simalpaca.trading.fields import Json, amount, client_id, flag, part, word, words

TYPES: Final = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES_IN_FORCE: Final = ("day", "gtc", "opg", "cls", "ioc", "fok")
CLASSES: Final = ("simple", "bracket", "oco", "oto")
SIDES: Final = ("buy", "sell")
INTENTS: Final = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")


class Wish(NamedTuple):
    """A new order; amounts in 1e-9 (shares too), None: not given."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    order_class: str
    client_order_id: str
    extended: bool
    intent: str
    qty: int | None
    notional: int | None
    limit: int | None
    stop: int | None
    trail_price: int | None
    trail_percent: int | None
    target: int | None
    loss_stop: int | None
    loss_limit: int | None
    has_target: bool
    has_loss: bool


class Change(NamedTuple):
    """What shall be different in the order that takes another's place; None: as it was."""

    qty: int | None
    limit: int | None
    stop: int | None
    trail: int | None
    time_in_force: str
    client_order_id: str

    @property
    def empty(self) -> bool:
        """True when nothing shall be different."""
        return (self.qty, self.limit, self.stop, self.trail, self.time_in_force) == (
            *(None,) * 4,
            "",
        )


def read_wish(fields: Json) -> Wish:
    """Read the body of POST /v2/orders."""
    target, loss = part(fields, "take_profit"), part(fields, "stop_loss")
    order_class = word(
        {**fields, "order_class": fields.get("order_class") or None},
        "order_class",
        (*CLASSES, "mleg"),
        "simple",
    )
    if order_class == "mleg":
        raise bad_field("mleg orders are for options, which are not traded here")
    symbol = words(fields, "symbol")
    if not symbol:
        raise bad_field("symbol is required")
    return Wish(
        symbol=symbol,
        side=word(fields, "side", SIDES),
        type=word(fields, "type", TYPES),
        time_in_force=word(fields, "time_in_force", TIMES_IN_FORCE),
        order_class=order_class,
        client_order_id=client_id(fields),
        extended=flag(fields, "extended_hours"),
        intent=word(fields, "position_intent", ("", *INTENTS), ""),
        qty=amount(fields, "qty"),
        notional=amount(fields, "notional"),
        limit=amount(fields, "limit_price"),
        stop=amount(fields, "stop_price"),
        trail_price=amount(fields, "trail_price"),
        trail_percent=amount(fields, "trail_percent"),
        target=amount(target, "limit_price"),
        loss_stop=amount(loss, "stop_price"),
        loss_limit=amount(loss, "limit_price"),
        has_target=fields.get("take_profit") is not None,
        has_loss=fields.get("stop_loss") is not None,
    )


def read_change(fields: Json) -> Change:
    """Read the body of PATCH /v2/orders/{order_id}."""
    if fields.get("notional") is not None:
        raise bad_field("notional can only be replaced on IPO orders")
    return Change(
        qty=amount(fields, "qty"),
        limit=amount(fields, "limit_price"),
        stop=amount(fields, "stop_price"),
        trail=amount(fields, "trail"),
        time_in_force=word(fields, "time_in_force", ("", *TIMES_IN_FORCE), ""),
        client_order_id=client_id(fields),
    )
