"""Shadow mode: everything runs, nothing is sent; what would have been is written down."""

from typing import Final

from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.journal import OrderEventRow
from tradingd.domain.money import Nanos
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.ticket import Ticket

_REMEMBERED: Final = 10_000


class Shadow:
    """Remembers what it has written down, so that a wish that stands is not written every minute.

    Only orders that the broker has can be changed or cancelled: those of a time before this mode,
    and adopted ones.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._said: set[str] = set()

    def first(self, what: str) -> bool:
        """Tell whether something is said for the first time."""
        if what in self._said:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said.add(what)
        return True

    def would(self, ticket: Ticket, what: str) -> None:
        """Write down what would have been asked of an order that is at the broker."""
        if self.first(f"{ticket.order_id} {what}"):
            step = Step.WOULD_HAVE.value
            now, wall = self._desk.clock.now(), self._desk.wall()
            self._desk.write(
                OrderEventRow(order_id=ticket.order_id, step=step, detail=what, ts=now, wall=wall)
            )


def described(order: OrderRequest) -> str:
    """Return an order as a sentence's end: what would have been sent."""
    prices = (("limit", order.limit), ("stop", order.stop), ("trail", order.trail))
    parts = [f"would have sent {order.side} {order.quantity} {order.symbol} {order.type}"]
    parts += [f"{name} {_price(price)}" for name, price in prices if price is not None]
    if order.trail_bps is not None:
        parts.append(f"trail {order.trail_bps} bps")
    parts.append(order.time_in_force.value)
    return " ".join(parts + ["extended hours"] * order.extended_hours)


def changed(quantity: int, limit: Nanos | None, stop: Nanos | None) -> str:
    """Return a change of an order as what would have been asked."""
    prices = (("limit", limit), ("stop", stop))
    parts = [f"would have changed it to {quantity}"]
    parts += [f"{name} {_price(price)}" for name, price in prices if price is not None]
    return " ".join(parts)


def _price(price: Nanos) -> str:
    return f"{price / 1e9:.4f}"
