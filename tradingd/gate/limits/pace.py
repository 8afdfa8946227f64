"""Limits on how much happens: trades a day, orders a minute."""

from tradingd.domain.orders import Denial
from tradingd.gate.limits.base import Limit, Settings
from tradingd.gate.situation import Situation


class MaxTradesPerDay(Limit):
    """Too many entry orders in one session: those that filled, those still working, this one."""

    key = "max_trades_per_day"

    def __init__(self, settings: Settings) -> None:
        self._allowed = settings.limits.max_trades_per_day

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        count = order.book.trades_today + order.book.unfilled_entries + 1
        if count <= self._allowed:
            return None
        return self.deny(
            str(count), str(self._allowed), f"This would be trade number {count} of the session."
        )


class OrdersPerMinute(Limit):
    """Too many orders left in the last 60 seconds of data time.

    Every order that left counts, exits too; only increases are held back, because an operator
    must always be able to get out.
    """

    key = "orders_per_minute"

    def __init__(self, settings: Settings) -> None:
        self._allowed = settings.limits.orders_per_minute

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        count = order.recent + 1
        if count <= self._allowed:
            return None
        return self.deny(
            f"{count} in 60 s",
            f"{self._allowed} in 60 s",
            f"{order.recent} orders left within the last minute.",
        )
