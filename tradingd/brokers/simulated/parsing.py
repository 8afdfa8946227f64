"""Wire messages <-> domain types; decimal text becomes Nanos here and nowhere else."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from tradingd.brokers.simulated.client import Body
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    FillUpdate,
    OrderUpdate,
)
from tradingd.domain.broker_requests import OrderRequest, TimeInForce
from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction
from tradingd.domain.money import SCALE, Nanos, nanos
from tradingd.domain.orders import OrderType, Side

_HELD: Final = "HELD"
_BASIS_POINTS: Final = 10_000


class _Order(msgspec.Struct):
    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    filled: int
    type: OrderType
    limit: str | None
    stop: str | None
    status: Literal["WORKING", "FILLED", "CANCELED", "EXPIRED", "REJECTED", "HELD"]
    reason: str
    ts: int
    time_in_force: TimeInForce = TimeInForce.DAY


class _Fill(msgspec.Struct):
    fill_id: str
    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    price: str
    commission: str
    ts: int


class _Adjustment(msgspec.Struct):
    adjustment_id: str
    kind: str
    symbol: str
    shares: int
    cash: str
    numerator: int
    denominator: int
    ts: int


class _Position(msgspec.Struct):
    symbol: str
    quantity: int
    average_price: str


class Hello(msgspec.Struct):
    """The broker's introduction; `seq` is the number of its last event."""

    version: int
    account: str
    store: str
    cash: str
    equity: str
    market_ts: int
    seq: int


def wire(amount: Nanos) -> str:
    """Write an amount as the shortest exact decimal text."""
    whole, fraction = divmod(abs(amount), SCALE)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").rstrip(".")


def _wire_or_none(amount: Nanos | None) -> str | None:
    return None if amount is None else wire(amount)


def submit_fields(order: OrderRequest) -> Body:
    """Return the fields of a submit message."""
    return {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": order.quantity,
        "type": order.type.value,
        "limit": _wire_or_none(order.limit),
        "stop": _wire_or_none(order.stop),
        "time_in_force": order.time_in_force.value,
        **_trail(order),
    }


def _trail(order: OrderRequest) -> Body:
    """Return what a trailing stop keeps from the price: dollars, or a part of it."""
    if order.trail is not None:
        return {"trail": wire(order.trail)}
    if order.trail_bps is not None:
        return {"trail_rate": wire(order.trail_bps * SCALE // _BASIS_POINTS)}
    return {}


def replace_fields(
    client_order_id: str, quantity: int, limit: Nanos | None, stop: Nanos | None
) -> Body:
    """Return the fields of a replace message."""
    return {
        "client_order_id": client_order_id,
        "quantity": quantity,
        "limit": _wire_or_none(limit),
        "stop": _wire_or_none(stop),
    }


def market_fields(batch: Batch) -> Body:
    """Return the fields of a market message."""
    bars = [
        (bar.symbol, wire(bar.open), wire(bar.high), wire(bar.low), wire(bar.close), bar.volume)
        for bar in batch.bars
    ]
    return {"ts": batch.ts, "bars": bars}


def action_fields(action: CorporateAction, ts: int) -> Body:
    """Return the fields of a corporate action message."""
    return {
        "kind": action.kind.value,
        "symbol": action.symbol,
        "ex_date": action.ex_date.isoformat(),
        "numerator": action.numerator,
        "denominator": action.denominator,
        "amount": wire(action.amount),
        "old_symbol": action.old_symbol,
        "ts": ts,
    }


def hello(reply: Body) -> Hello:
    """Read the broker's introduction."""
    return msgspec.convert(reply, Hello)


def account(reply: Body) -> BrokerAccount:
    """Read an account."""
    said = hello(reply)
    return BrokerAccount(account_id=said.account, cash=nanos(said.cash), equity=nanos(said.equity))


def orders(reply: Body) -> Sequence[BrokerOrder]:
    """Read a list of orders."""
    return [_order(item) for item in msgspec.convert(reply["orders"], list[_Order])]


def fills(reply: Body) -> Sequence[BrokerFill]:
    """Read a list of fills."""
    return [_fill(item) for item in msgspec.convert(reply["fills"], list[_Fill])]


def adjustments(reply: Body) -> Sequence[AdjustmentUpdate]:
    """Read a list of adjustments."""
    found = msgspec.convert(reply["adjustments"], list[_Adjustment])
    return [_adjustment(item) for item in found]


def positions(reply: Body) -> Sequence[BrokerPosition]:
    """Read a list of positions."""
    return [
        BrokerPosition(
            symbol=item.symbol, quantity=item.quantity, average_price=nanos(item.average_price)
        )
        for item in msgspec.convert(reply["positions"], list[_Position])
    ]


def event(body: Body) -> BrokerEvent:
    """Read an event.

    Raises
    ------
    msgspec.ValidationError
        When it is of no known kind or lacks a field.
    """
    match body.get("event"):
        case "order":
            return OrderUpdate(_order(msgspec.convert(body.get("order"), _Order)))
        case "fill":
            return FillUpdate(_fill(msgspec.convert(body.get("fill"), _Fill)))
        case "adjustment":
            return _adjustment(msgspec.convert(body.get("adjustment"), _Adjustment))
    raise msgspec.ValidationError(f"unknown event {body.get('event')!r}")


def _order(item: _Order) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=item.client_order_id,
        broker_order_id=item.broker_order_id,
        symbol=item.symbol,
        side=item.side,
        quantity=item.quantity,
        type=item.type,
        # A leg that waits for its entry is held; that it will work is all that counts here.
        status=BrokerStatus.WORKING if item.status == _HELD else BrokerStatus(item.status),
        time_in_force=item.time_in_force,
        filled=item.filled,
        limit=None if item.limit is None else nanos(item.limit),
        stop=None if item.stop is None else nanos(item.stop),
        reason=item.reason,
        ts=item.ts,
    )


def _fill(item: _Fill) -> BrokerFill:
    return BrokerFill(
        fill_id=item.fill_id,
        client_order_id=item.client_order_id,
        broker_order_id=item.broker_order_id,
        symbol=item.symbol,
        side=item.side,
        quantity=item.quantity,
        price=nanos(item.price),
        commission=nanos(item.commission),
        ts=item.ts,
    )


def _adjustment(item: _Adjustment) -> AdjustmentUpdate:
    return AdjustmentUpdate(
        adjustment_id=item.adjustment_id,
        kind=item.kind,
        symbol=item.symbol,
        shares=item.shares,
        cash=nanos(item.cash),
        numerator=item.numerator,
        denominator=item.denominator,
        ts=item.ts,
    )
