"""The engine's own order verbs, led through the desk: nothing leaves beside the gate."""

from collections.abc import Sequence
from typing import Any

from nautilus_trader.model import ClientOrderId, InstrumentId
from nautilus_trader.trading import Strategy as EngineStrategy

from tradingd.engine.bound import Bound


class LedVerbs(EngineStrategy):
    """What strategies written for the bare engine call."""

    _runtime: Bound

    def submit_order(
        self, order: Any, position_id: Any = None, client_id: Any = None, params: Any = None
    ) -> None:
        """Send an engine order through the gate; its first tag is the reason."""
        self._runtime.native.submit(
            order, position_id=position_id, client_id=client_id, params=params
        )

    def submit_order_list(
        self, order_list: Any, position_id: Any = None, client_id: Any = None, params: Any = None
    ) -> None:
        """Send a list (a bracket) through the gate: all of it, or nothing."""
        self._runtime.native.submit_list(
            order_list, position_id=position_id, client_id=client_id, params=params
        )

    def modify_order(
        self,
        client_order_id: ClientOrderId,
        quantity: Any = None,
        price: Any = None,
        trigger_price: Any = None,
        client_id: Any = None,
        params: Any = None,
    ) -> None:
        """Change an order; the changed entry passes the gate like a new one."""
        self._runtime.native.modify(client_order_id.value, quantity, price, trigger_price)

    def modify_orders(
        self, updates: Sequence[Any] = (), client_id: Any = None, params: Any = None
    ) -> None:
        """Change several orders, one after another."""
        for client_order_id, quantity, price, trigger_price in updates:
            self.modify_order(client_order_id, quantity, price, trigger_price)

    def cancel_order(
        self, client_order_id: ClientOrderId, client_id: Any = None, params: Any = None
    ) -> None:
        """Cancel an order."""
        self._runtime.native.cancel(client_order_id.value)

    def cancel_orders(
        self, client_order_ids: Sequence[ClientOrderId], client_id: Any = None, params: Any = None
    ) -> None:
        """Cancel several orders."""
        for client_order_id in client_order_ids:
            self.cancel_order(client_order_id)

    def cancel_all_orders(
        self,
        instrument_id: InstrumentId,
        order_side: Any = None,
        client_id: Any = None,
        strategy_only: bool = True,
        params: Any = None,
    ) -> None:
        """Cancel the open orders of an instrument, protective stops included."""
        self._runtime.native.cancel_all(instrument_id.symbol.value, order_side)

    def close_position(
        self,
        position: Any,
        client_id: Any = None,
        tags: Sequence[str] | None = None,
        time_in_force: Any = None,
        reduce_only: Any = None,
        quote_quantity: Any = None,
        params: Any = None,
    ) -> None:
        """Close an engine position at market."""
        self._close(position.instrument_id, tags)

    def close_all_positions(
        self,
        instrument_id: InstrumentId,
        position_side: Any = None,
        client_id: Any = None,
        tags: Sequence[str] | None = None,
        time_in_force: Any = None,
        reduce_only: Any = None,
        quote_quantity: Any = None,
        params: Any = None,
    ) -> None:
        """Close the position of an instrument at market, if it is on the asked side."""
        line = self._runtime.book.position(instrument_id.symbol.value)
        held = 0 if line is None else line.quantity
        if position_side is None or self._runtime.native.on_side(held, position_side):
            self._close(instrument_id, tags)

    def market_exit(self) -> None:
        """Cancel every order and close every position at market."""
        self._runtime.native.market_exit()

    def _close(self, instrument_id: InstrumentId, tags: Sequence[str] | None) -> None:
        reason = tags[0] if tags else "close position"
        self._runtime.native.close(instrument_id.symbol.value, reason, None)
