"""Takes what the engine sends by itself: known orders are pictures, all others meet the shim."""

from collections.abc import Callable, Mapping
from typing import Any

from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.native import LiveNative


class Interception:
    """The last thing in front of the way out; counts what it had to catch.

    Parameters
    ----------
    mirror : Mirror
        Knows the orders that are pictures.
    natives : Mapping[str, LiveNative]
        The way to the shim, by strategy.
    on_fault : Callable
        Told of our own errors here, which the engine would swallow.
    """

    def __init__(
        self,
        mirror: Mirror,
        natives: Mapping[str, LiveNative],
        on_fault: Callable[[BaseException, str], None],
    ) -> None:
        self.caught = 0
        self._mirror = mirror
        self._natives = natives
        self._on_fault = on_fault

    def submit(self, order: Any) -> None:
        """Send an order that was born in the engine through the shim, or deny it."""
        if self._mirror.knows(order):
            return
        self.caught += 1
        native = self._natives.get(self._mirror.name_of(order.strategy_id.value))
        try:
            why = "no strategy of ours" if native is None else native.intercept(order)
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self._on_fault(error, "engine")
            why = "our own error"
        if why is not None:
            self._mirror.client.generate_order_denied(order, why)

    def modify(self, client_order_id: str, quantity: Any, price: Any, trigger: Any) -> None:
        """Change an order the engine wants changed."""
        self._each(lambda native: native.modify(client_order_id, quantity, price, trigger))

    def cancel(self, client_order_id: str) -> None:
        """Cancel an order the engine wants cancelled."""
        self._each(lambda native: native.cancel(client_order_id))

    def cancel_all(self, strategy_id: str, symbol: str, side: Any) -> None:
        """Cancel a strategy's orders of an instrument."""
        native = self._natives.get(self._mirror.name_of(strategy_id))
        if native is not None:
            self._safely(lambda: native.cancel_all(symbol, side))

    def _each(self, action: Callable[[LiveNative], None]) -> None:
        """Act once: an order id is the shim's, whichever strategy's way it takes."""
        native = next(iter(self._natives.values()), None)
        if native is not None:
            self._safely(lambda: action(native))

    def _safely(self, action: Callable[[], None]) -> None:
        self.caught += 1
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the engine would swallow it
            self._on_fault(error, "engine")
