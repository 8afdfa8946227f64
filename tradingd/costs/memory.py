"""What was already charged on an order: its later fills complete its minimum and maximum."""

import datetime as dt
from collections import OrderedDict
from typing import Final

import msgspec

from tradingd.domain.money import Nanos

MOST_ORDERS: Final = 4_096
"""Orders remembered at once; the least recently filled is forgotten first."""


class Charged(msgspec.Struct):
    """Running totals of one order on one day. Mutable on purpose: every fill adds to it."""

    day: dt.date
    value: Nanos = 0
    raw: Nanos = 0
    commission: Nanos = 0


class OrderMemory:
    """Bounded memory of partly filled orders.

    A new day starts an order's totals anew: IBKR treats the rest of a good-till-cancelled order
    as a new order for its minimum. An order pushed out by newer ones pays its minimum again.
    """

    def __init__(self, most: int = MOST_ORDERS) -> None:
        self._most = most
        self._orders: OrderedDict[str, Charged] = OrderedDict()

    def __len__(self) -> int:
        return len(self._orders)

    def of(self, order_id: str, day: dt.date) -> Charged:
        """Return the totals of an order on a day."""
        charged = self._orders.get(order_id)
        if charged is None or charged.day != day:
            charged = self._orders[order_id] = Charged(day)
        self._orders.move_to_end(order_id)
        if len(self._orders) > self._most:
            self._orders.popitem(last=False)
        return charged

    def forget(self, order_id: str) -> None:
        """Drop an order that is closed; unknown ids are fine."""
        self._orders.pop(order_id, None)
