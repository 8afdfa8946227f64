"""Orders that are tied together: an entry with its exits, and exits of which one ends the other."""

from collections.abc import Sequence
from typing import Protocol

from tradingd.simbroker.orders import CANCELED, ENTRY, EXPIRED, FILLED, HELD, Order


class _Desk(Protocol):
    """What ties need of a desk."""

    def tied(self, group_id: str) -> list[Order]: ...
    def activate(self, order: Order) -> None: ...
    def changed(self, order: Order) -> None: ...
    def finish(self, order: Order, status: str, reason: str) -> None: ...


class Groups:
    """Carries a change of one order over to those that are tied to it.

    Parameters
    ----------
    desk : Desk
        Whose orders they are.
    """

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self.activated: list[Order] = []

    def follow(self, order: Order) -> None:
        """Let the others of a group follow one that has changed."""
        if not order.group_id:
            return
        others = [other for other in self._desk.tied(order.group_id) if other is not order]
        if order.open:
            if order.role != ENTRY and order.filled:
                self._shrink(order, others)
        elif order.role == ENTRY and order.status == FILLED:
            self._activate(others)
        else:
            self._end(order, others)

    def _activate(self, others: Sequence[Order]) -> None:
        for other in others:
            if other.status == HELD:
                self._desk.activate(other)
                self.activated.append(other)

    def _shrink(self, order: Order, others: Sequence[Order]) -> None:
        """Leave to the other exit only what this one has not filled."""
        for other in others:
            wanted = other.filled + order.remaining
            if other.role != ENTRY and other.quantity > wanted:
                other.quantity = wanted
                self._desk.changed(other)

    def _end(self, order: Order, others: Sequence[Order]) -> None:
        status = EXPIRED if order.status == EXPIRED else CANCELED
        for other in others:
            if other.open:
                self._desk.finish(other, status, f"tied to {order.broker_order_id}")
