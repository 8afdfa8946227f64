"""The engine's own order verbs, live: turned into wishes, judged and sent by the shim."""

from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.model import OrderSide, OrderStatus

from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.domain.trading import Wish
from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.wishes import unsendable, wish_of
from tradingd.engine.native import on_side, orders_of
from tradingd.engine.orders import deny, reason_of, side_of
from tradingd.engine.units import SIDES, nanos_of


class LiveNative:
    """Leads engine orders, changes and cancels of one strategy to the shim."""

    def __init__(self, desk: LiveDesk, mirror: Mirror) -> None:
        self._desk = desk
        self._mirror = mirror

    # -- the strategy's calls --------------------------------------------------------------------

    def submit(self, order: Any, **options: Any) -> None:
        """Send one engine order, if the shim allows it."""
        del options
        if order.status != OrderStatus.INITIALIZED or self._mirror.knows(order):
            # A bug of the strategy, but its first order goes on undisturbed.
            self._refuse(order, _sent_before())
            return
        if self._admitted(order, [order]) is not None:
            self._mirror.echo(self._desk.strategy, [order])

    def submit_list(self, order_list: Any, **options: Any) -> None:
        """Send a bracket: the entry is an order, its legs are the protection the shim keeps."""
        del options
        orders = orders_of(order_list)
        entry, legs = orders[0], orders[1:]
        refused = next(filter(None, map(unsendable, orders)), None)
        if refused is None and any(leg.parent_order_id is None for leg in legs):
            refused = _not_a_bracket()
        if refused is not None:
            for order in orders:
                self._refuse(order, refused)
            return
        if self._admitted(entry, orders) is not None:
            self._mirror.echo(self._desk.strategy, orders)

    def modify(self, order_id: str, quantity: Any, price: Any, trigger: Any) -> None:
        """Change an order; what the shim denies stays as it was."""
        if not self._desk.present.acting:
            return
        shim_id = self._mirror.shim_id(order_id)
        row = self._desk.shim.order(shim_id)
        limit = None if price is None else nanos_of(price)
        stop = None if trigger is None else nanos_of(trigger)
        if row is None:
            return
        if row.purpose == Purpose.PROTECT and stop is not None:
            self._desk.shim.guard(row.symbol, stop=stop, reason=f"strategy changes {order_id}")
            return
        self._desk.shim.replace(
            shim_id,
            quantity=None if quantity is None else int(quantity),
            limit=limit,
            stop=stop,
            reason="strategy changes the order",
        )

    def cancel(self, order_id: str) -> None:
        """Cancel an order by our id or the engine's."""
        if self._desk.present.acting:
            self._desk.shim.cancel(self._mirror.shim_id(order_id), reason="strategy cancels")

    def cancel_all(self, symbol: str, side: Any) -> None:
        """Cancel the open orders of a symbol, of one side where given.

        Protective orders stay: the shim ends them with their position.
        """
        if not self._desk.present.acting:
            return
        for row in self._desk.working.of(self._desk.strategy, symbol):
            either = side is None or side == OrderSide.NO_ORDER_SIDE
            if row.purpose != Purpose.PROTECT and (either or SIDES[Side(row.side)] == side):
                self._desk.shim.cancel(row.order_id, reason="strategy cancels all")

    def close(self, symbol: str, reason: str, quantity: int | None) -> str | None:
        """Close a position at the market, or a part of it."""
        return self._desk.exit(symbol, reason=reason, quantity=quantity)

    def market_exit(self) -> None:
        """Cancel entries, close every position of the strategy."""
        if not self._desk.present.acting:
            return
        for row in self._desk.working.all_of(self._desk.strategy):
            if row.purpose == Purpose.ENTRY:
                self._desk.shim.cancel(row.order_id, reason="market exit")
        for symbol in sorted(self._desk.ticks):
            self._desk.exit(symbol, reason="market exit", quantity=None)

    def move_stop(self, symbol: str, stop: float | Decimal, reason: str) -> None:
        """Set or move the protective stop of a position; without one there is nothing to guard."""
        price = self._desk.rounded(symbol, stop)
        if price is None or not reason.strip():
            raise ValueError(f"moving the stop of {symbol} needs a price and a reason")
        if not self._desk.present.acting or not self._desk.book.quantity(symbol):
            return
        self._desk.shim.guard(symbol, stop=price, reason=reason)

    def on_side(self, held: int, side: Any) -> bool:
        """Tell whether a position is on an engine position side."""
        return on_side(held, side)

    # -- what was born inside the engine, past the strategy's verbs --------------------------------

    def intercept(self, order: Any) -> str | None:
        """Send an order that the engine made; return why not, None when it is on its way."""
        refused = unsendable(order)
        if refused is not None:
            return refused.explanation
        return None if self._admitted(order, [order]) is not None else "denied by the gate"

    # -- private ---------------------------------------------------------------------------------

    def _admitted(self, order: Any, orders: list[Any]) -> str | None:
        """Give an order to the shim; return its id when it is on its way.

        The mirror hears of it first: the shim tells its steps while it submits.
        """
        refused = unsendable(order)
        if refused is not None:
            self._refuse(order, refused)
            return None
        wish = self._wish(order, orders[1:])
        if wish.purpose is Purpose.EXIT and not _held_to(order, wish):
            self._refuse(order, _not_reduce_only(wish.symbol))
            return None
        if not self._desk.present.acting:
            self._deny(orders, "orders are not sent during warm-up")
            return None
        if wish.purpose is Purpose.PROTECT:
            return self._guarded(order, wish)
        order_id = self._desk.shim.next_id(strategy=wish.strategy, purpose=wish.purpose)
        self._mirror.adopt(order_id, self._desk.strategy, orders)
        if self._desk.send(wish, order_id=order_id) is None:
            self._mirror.drop(order_id)
            self._deny(orders, "denied by the gate")
            return None
        return order_id

    def _guarded(self, order: Any, wish: Wish) -> str | None:
        """Have the shim guard a position as a native stop asks; one stop guards a position."""
        taken = self._desk.shim.stop_price(wish.symbol) is not None
        if taken or not self._desk.book.quantity(wish.symbol):
            self._refuse(order, _no_second_stop(wish.symbol))
            return None
        self._mirror.expect(self._desk.strategy, wish.symbol, order)
        verdict = self._desk.shim.guard(wish.symbol, stop=wish.stop, reason=wish.reason)
        if verdict.allowed:
            return ""
        self._mirror.forget(order)
        self._deny([order], "denied by the gate")
        return None

    def _wish(self, order: Any, legs: list[Any]) -> Wish:
        symbol = order.instrument_id.symbol.value
        held = self._desk.book.quantity(symbol)
        now = self._desk.present.now()
        wish = wish_of(order, self._desk.strategy, held, now)
        protection = [wish_of(leg, self._desk.strategy, held, now) for leg in legs]
        stop = next((leg.stop for leg in protection if leg.stop is not None), None)
        target = next((leg.limit for leg in protection if leg.stop is None), None)
        return msgspec.structs.replace(wish, protective_stop=stop, take_profit=target)

    def _refuse(self, order: Any, denial: Denial) -> None:
        self._desk.diary.refusal(
            self._desk.strategy,
            order.instrument_id.symbol.value,
            side_of(order).value,
            int(order.quantity),
            reason_of(order),
            denial,
        )
        if order.status == OrderStatus.INITIALIZED and not self._mirror.knows(order):
            deny(order, denial.explanation, self._desk.present.now())

    def _deny(self, orders: list[Any], reason: str) -> None:
        for order in orders:
            if order.status == OrderStatus.INITIALIZED:
                deny(order, reason, self._desk.present.now())


def _sent_before() -> Denial:
    observed = "an order object that was sent before"
    return Denial(
        limit="engine",
        observed=observed,
        allowed="a new order for every send",
        explanation=f"A live session does not send {observed}.",
    )


def _held_to(order: Any, wish: Wish) -> bool:
    """Tell whether an exit can never exceed the position: as the backtest demands."""
    return bool(order.is_reduce_only) or wish.type is OrderType.MARKET


def _not_reduce_only(symbol: str) -> Denial:
    return Denial(
        limit="reduce_only",
        observed="an exit that rests and is not reduce-only",
        allowed="reduce_only=True",
        explanation=f"A resting exit of {symbol} could outlive or exceed the position.",
    )


def _no_second_stop(symbol: str) -> Denial:
    return Denial(
        limit="engine",
        observed="a stop beside another, or without a position",
        allowed="one stop per position; move_stop or modify_order move it",
        explanation=f"One stop guards the position of {symbol}, and only a position is guarded.",
    )


def _not_a_bracket() -> Denial:
    observed = "a list of orders that are not legs of its first"
    return Denial(
        limit="engine",
        observed=observed,
        allowed="a bracket: an entry, its stop, its target",
        explanation=f"A live session does not send {observed}.",
    )
