"""What one bar does to the resting orders of its symbol."""

from decimal import Decimal
from typing import NamedTuple, Self

from tradingd.simbroker.arrival import end_at_once, whole
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import (
    Bar,
    limit_in_bar,
    reaches_stop,
    stop_in_bar,
    within_limit,
)
from tradingd.simbroker.orders import (
    AT_ONCE,
    AUCTIONS,
    CANCELED,
    OPG,
    STOP_LIMIT,
    TRAILING_STOP,
    Order,
)
from tradingd.simbroker.trailing import best_in, follow


class Moment(NamedTuple):
    """A time of the market, and the session of its New York date where hours are known."""

    ts: int
    session: tuple[int, int] | None
    known: bool

    @classmethod
    def at(cls, desk: Desk, ts: int) -> Self:
        """Return the moment of a market message."""
        if desk.hours is None:
            return cls(ts, None, False)
        return cls(ts, desk.hours.session(ts), True)

    @property
    def regular(self) -> bool:
        """Whether a bar that closes now lies in regular hours."""
        if not self.known:
            return True
        return self.session is not None and self.session[0] < self.ts <= self.session[1]

    def trades(self, order: Order) -> bool:
        """Whether the order takes part in this moment's trading."""
        return self.regular or bool(order.extended)


class Bars:
    """Matches bars.

    Parameters
    ----------
    desk : Desk
        The broker's state.
    participation_percent : int or Decimal
        Share of a bar's volume that may be filled per symbol; 0: no bound.
    """

    def __init__(self, desk: Desk, *, participation_percent: int | Decimal) -> None:
        self._desk = desk
        self._participation = participation_percent

    def match(self, bar: Bar, moment: Moment) -> None:
        """Fill what a bar fills: auctions and market orders, then stops, then limits.

        A bar does not tell its path. When it reaches a stop and a limit of the same side, the
        stop comes first and the limit waits for the next bar: its owner had the time between.
        """
        desk, left = self._desk, self._allowance(bar)
        all_working = [order for order in desk.working(bar.symbol) if moment.trades(order)]
        left -= self._auctions(bar, moment, all_working, left)
        working = [order for order in all_working if order.time_in_force not in AUCTIONS]
        stops = [order for order in working if order.waits_for_stop]
        limits = [o for o in working if not o.waits_for_stop and not o.takes_any_price]
        for order in working:
            if order.takes_any_price and order.open and whole(order, left):
                left -= desk.execute(order, desk.spread.against(order, bar.open), left)
        stopped = set()
        for order in stops:
            elected = self._elected(order, bar) if order.open else None
            if elected is not None:
                stopped.add(order.side)
                left -= self._elect(order, elected, left)
        for order in limits:
            price = limit_in_bar(order, bar)
            if price is None or order.side in stopped or not (order.open and whole(order, left)):
                continue
            left -= desk.execute(order, price, left)
        for order in working:
            if order.time_in_force in AT_ONCE:
                end_at_once(desk, order)

    def _auctions(self, bar: Bar, moment: Moment, working: list[Order], left: int) -> int:
        """Fill at the opening and closing price, without a spread; what is left is over."""
        taken = 0
        if moment.session is None:
            return 0
        opened, closed = moment.session
        for order in working:
            if order.time_in_force not in AUCTIONS:
                continue
            opening = order.time_in_force == OPG
            first = self._desk.seen.get(bar.symbol, 0) <= opened and order.arrived <= opened
            if not (first if opening else moment.ts == closed):
                continue
            price = bar.open if opening else bar.close
            if order.limit_price is None or within_limit(order, price):
                taken += self._desk.execute(order, price, left - taken)
            if order.open:
                self._desk.finish(order, CANCELED, "not filled in the auction")
        return taken

    def _elected(self, order: Order, bar: Bar) -> int | None:
        """Return the price at which the bar elects a stop.

        A trailing stop is met where it stood before the bar; when it was not, the bar's best
        price moves it, and a close beyond the moved stop elects it too. Whether the worst price
        came after the best one, a bar does not tell.
        """
        if order.type != TRAILING_STOP:
            return stop_in_bar(order, bar)
        if order.mark is None:
            follow(order, bar.open)
        elected = stop_in_bar(order, bar)
        if elected is None and follow(order, best_in(order, bar)):
            self._desk.restated(order)
            if reaches_stop(order, bar.close):
                elected = order.stop_price
        return elected

    def _elect(self, order: Order, elected: int, left: int) -> int:
        order.triggered = 1
        price = self._desk.spread.against(order, elected)
        if order.type == STOP_LIMIT and not within_limit(order, price):
            self._desk.changed(order)
            return 0
        filled = self._desk.execute(order, price, left)
        if not filled:
            self._desk.changed(order)
        return filled

    def _allowance(self, bar: Bar) -> int:
        if not self._participation:
            return 10**15
        return int(bar.volume * self._participation / 100)
