"""One order as we follow it, from the strategy's wish to its record."""

from enum import Enum, auto
from typing import Any

import msgspec

from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side
from tradingd.engine.tape import TapeBar


class Stage(Enum):
    """Where an order is: on its way, at the venue, waiting to go on, or done."""

    HELD = auto()
    WORKING = auto()
    CONTINUING = auto()
    CLOSED = auto()


class Ticket(msgspec.Struct, kw_only=True):
    """An order of ours. Mutable on purpose: it changes with every event of its life.

    One ticket may become several engine orders (a market order that a bar's volume cannot take
    goes on at the next bar); they share the ticket, its id and its record. `touch` and `bar`
    are the price before slippage and the bar of the fill that is being simulated; `arrived` is
    when the engine last got it. A stop is `elected` once it has triggered: what is left of it
    goes on at market. It is `disguised` as a limit order for the rest of a bar when the engine
    would compare it with a stale price. An order is `starved` when the fill model just gave it
    nothing: the engine then ends it, and it is ours to take it to the next bar. `denied` names the
    limits that said no. `worked` children of an order that a style works meet the worse end of a
    bar that reaches the position's stop too.
    """

    seq: int
    order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    purpose: Purpose
    reason: str
    ts: int
    limit: Nanos | None = None
    stop: Nanos | None = None
    protective_stop: Nanos | None = None
    parent_id: str = ""
    reduces: bool = False
    elected: bool = False
    disguised: bool = False
    starved: bool = False
    native: Any = None
    native_options: dict[str, Any] = {}
    stage: Stage = Stage.HELD
    filled: int = 0
    paid: Nanos = 0
    arrived: int = -1
    touch: Nanos = 0
    bar: TapeBar | None = None
    engine_ids: int = 0
    denied: str = ""
    worked: bool = False
    engine_id: str = ""

    @property
    def leaves(self) -> int:
        """Shares not filled yet."""
        return self.quantity - self.filled

    @property
    def open(self) -> bool:
        """True until the order has its final state."""
        return self.stage is not Stage.CLOSED

    @property
    def takes(self) -> bool:
        """True for orders that want to trade at once when they act: market and stop orders."""
        return self.limit is None

    @property
    def average(self) -> Nanos | None:
        """Average fill price rounded half up to a nano, None without a fill."""
        return (2 * self.paid + self.filled) // (2 * self.filled) if self.filled else None

    def next_engine_id(self) -> str:
        """Return the next engine order id: the order's own, then with a running suffix."""
        self.engine_ids += 1
        base = self.order_id
        self.engine_id = base if self.engine_ids == 1 else f"{base}-{self.engine_ids}"
        return self.engine_id

    def intent(self, mark: Nanos) -> OrderIntent:
        """Return what the gate judges: what is left, a market order at the last mark."""
        price = self.limit if self.limit is not None else self.stop
        return OrderIntent(
            order_id=self.order_id,
            strategy=self.strategy,
            symbol=self.symbol,
            side=self.side,
            quantity=self.leaves,
            type=self.type,
            price=mark if price is None else price,
            purpose=self.purpose,
            reason=self.reason,
            ts=self.ts,
            protective_stop=self.protective_stop,
        )
