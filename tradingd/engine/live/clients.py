"""Our two clients inside the engine's node: bars in, and the last gate in front of every order.

An order that the engine hands to the execution client is either an echo (the shim has it already,
the engine only keeps a picture of it) or was born inside the engine, past our verbs. The latter
goes to the shim like any other, so nothing reaches a broker past it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from nautilus_trader.live.clients import (
    DataClientFactory,
    ExecutionClient,
    ExecutionClientFactory,
    MarketDataClient,
)
from nautilus_trader.model import (
    AccountBalance,
    AccountId,
    AccountType,
    Equity,
    OmsType,
)

from tradingd.domain.money import Nanos
from tradingd.engine.units import USD, money
from tradingd.engine.venue import VENUE

NAME: Final = "SHIM"


class Interceptor(Protocol):
    """Takes what was born inside the engine."""

    def submit(self, order: Any) -> None:
        """Take an order the engine wants to send."""
        ...

    def modify(self, client_order_id: str, quantity: Any, price: Any, trigger: Any) -> None:
        """Take a change the engine wants to send."""
        ...

    def cancel(self, client_order_id: str) -> None:
        """Take a cancel the engine wants to send."""
        ...

    def cancel_all(self, strategy_id: str, symbol: str, side: Any) -> None:
        """Take a cancel of all orders of an instrument."""
        ...


class BarClient(MarketDataClient):
    """Hands the feed's bars to the engine; `subscribed` counts the subscriptions."""

    def __init__(self, instruments: Sequence[Equity], **context: Any) -> None:
        super().__init__(venue=VENUE, **context)
        self._instruments = instruments
        self.subscribed = 0

    def publish(self, bar: Any) -> None:
        """Queue a bar for the engine."""
        self._handle_data(bar)

    async def _connect(self) -> None:
        for instrument in self._instruments:
            self._handle_instrument(instrument)

    async def _disconnect(self) -> None:
        """Do nothing: nothing is open."""

    async def _subscribe_bars(self, _command: Any) -> None:
        self.subscribed += 1

    async def _unsubscribe_bars(self, _command: Any) -> None:
        """Do nothing: the engine drops what nobody wants."""


class ShimClient(ExecutionClient):
    """The engine's only way out: everything it sends ends in the interceptor."""

    def __init__(
        self, interceptor: Interceptor, cash: Callable[[], Nanos], *, name: str, **context: Any
    ) -> None:
        super().__init__(
            name=name,
            venue=VENUE,
            account_id=AccountId(f"{name}-001"),
            account_type=AccountType.MARGIN,
            oms_type=OmsType.NETTING,
            base_currency=USD,
            **context,
        )
        self._interceptor = interceptor
        self._cash = cash

    def tell_cash(self) -> None:
        """Bring the engine's account up to date with the book."""
        cash = money(self._cash())
        balance = AccountBalance(cash, money(0), cash)
        self.generate_account_state([balance], [], True, self.clock.timestamp_ns())

    async def _connect(self) -> None:
        self.tell_cash()

    async def _disconnect(self) -> None:
        """Do nothing: nothing is open."""

    async def _submit_order(self, command: Any) -> None:
        self._interceptor.submit(command.order)

    async def _submit_order_list(self, command: Any) -> None:
        for client_order_id in command.order_list.client_order_ids:
            order = self.cache.order(client_order_id)
            if order is not None:
                self._interceptor.submit(order)

    async def _modify_order(self, command: Any) -> None:
        self._interceptor.modify(
            command.client_order_id.value, command.quantity, command.price, command.trigger_price
        )

    async def _cancel_order(self, command: Any) -> None:
        self._interceptor.cancel(command.client_order_id.value)

    async def _cancel_all_orders(self, command: Any) -> None:
        self._interceptor.cancel_all(
            command.strategy_id.value, command.instrument_id.symbol.value, command.order_side
        )

    async def _query_order(self, _command: Any) -> None:
        """Do nothing: the shim asks the broker by itself."""

    async def _query_account(self, _command: Any) -> None:
        self.tell_cash()

    async def _generate_mass_status(self, _lookback_mins: int | None) -> None:
        """Return nothing: reconciliation is the shim's, before the engine starts."""

    async def _generate_order_status_report(self, _command: Any) -> None:
        """Return nothing: reconciliation is the shim's."""

    async def _generate_order_status_reports(self, _command: Any) -> list[Any]:
        return []

    async def _generate_fill_reports(self, _command: Any) -> list[Any]:
        return []

    async def _generate_position_status_reports(self, _command: Any) -> list[Any]:
        return []


class Bars(DataClientFactory):
    """Makes the bar client when the node is built."""

    def __init__(self, instruments: Sequence[Equity]) -> None:
        self._instruments = instruments
        self.client: BarClient

    def create(self, **context: Any) -> BarClient:  # type: ignore[override]
        """Return the client (called by the engine)."""
        self.client = BarClient(self._instruments, **context)
        return self.client


class Orders(ExecutionClientFactory):
    """Makes the execution client when the node is built."""

    def __init__(self, interceptor: Interceptor, cash: Callable[[], Nanos]) -> None:
        self._interceptor = interceptor
        self._cash = cash
        self.client: ShimClient

    def create(self, **context: Any) -> ShimClient:  # type: ignore[override]
        """Return the client (called by the engine)."""
        self.client = ShimClient(self._interceptor, self._cash, **context)
        return self.client
