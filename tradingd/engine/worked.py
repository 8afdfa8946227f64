"""What a strategy is bound to when its orders are worked by a style: the same verbs, live or not.

An order without a price of its own goes to the floor; everything else goes where it always went.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Bar, OrderSide

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.engine.bound import BoundDesk, BoundNative
from tradingd.engine.units import RAW_PER_NANO, SIDES
from tradingd.execution.floor import Floor


class WorkedDesk:
    """Takes a strategy's own verbs to the floor.

    Parameters
    ----------
    desk : BoundDesk
        Sends what is not worked.
    floor : Floor
        Works the rest.
    acting : Callable
        False while orders are disabled (warm-up).
    exits_rest : bool
        Whether the broker lets an exit rest beside the protective stop.
    """

    def __init__(
        self,
        desk: BoundDesk,
        floor: Floor,
        acting: Callable[[], bool] = lambda: True,
        *,
        exits_rest: bool = True,
    ) -> None:
        self._limits = exits_rest and floor.style.exits == "limit"
        self._desk = desk
        self._floor = floor
        self._acting = acting
        self.rounded = desk.rounded
        self.limit_price = desk.limit_price

    @property
    def session(self) -> Session | None:
        """The session in progress."""
        return self._desk.session

    def pending(self, symbol: str) -> bool:
        """Tell whether an entry or an exit is being worked, on its way or working."""
        return self._floor.pending(symbol) or self._desk.pending(symbol)

    def enter(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        *,
        reason: str,
        stop: Nanos | None,
        limit: Nanos | None,
    ) -> str | None:
        """Work an entry; one with a limit of its own, or of a symbol without a price, is sent."""
        whole = isinstance(quantity, int) and quantity > 0
        if limit is None and whole and reason.strip() and self._floor.knows_price(symbol):
            if not self._acting():
                return None
            return self._floor.enter(symbol, side, quantity, reason=reason, stop=stop)
        # What makes no sense is refused there.
        return self._desk.enter(symbol, side, quantity, reason=reason, stop=stop, limit=limit)

    def exit(self, symbol: str, *, reason: str, quantity: int | None) -> str | None:
        """Work an exit, or send it at the market where the style says so."""
        if not self._limits or not self._floor.knows_price(symbol) or not reason.strip():
            if quantity is None:
                self._floor.let_go(symbol, "the position is being closed")
            return self._desk.exit(symbol, reason=reason, quantity=quantity)
        if not self._acting():
            return None
        return self._floor.exit(symbol, reason=reason, quantity=quantity)


class WorkedNative:
    """The engine's own verbs beside worked orders: what goes to the market ends their work."""

    def __init__(self, native: BoundNative, floor: Floor, desk: BoundDesk) -> None:
        self._native = native
        self._floor = floor
        self._desk = desk
        self.submit = native.submit
        self.submit_list = native.submit_list
        self.modify = native.modify
        self.on_side = native.on_side

    def cancel(self, order_id: str) -> None:
        """Let go of a worked order, or cancel another."""
        if not self._floor.cancel(order_id):
            self._native.cancel(order_id)

    def cancel_all(self, symbol: str, side: Any) -> None:
        """Let go of what is worked for a symbol, cancel its other orders."""
        either = side is None or side == OrderSide.NO_ORDER_SIDE
        for job in self._floor.jobs(symbol):
            if either or SIDES[job.side] == side:
                self._floor.cancel(job.parent_id, "the strategy cancels all")
        self._native.cancel_all(symbol, side)

    def close(self, symbol: str, reason: str, quantity: int | None) -> str | None:
        """Close a position at the market, at once."""
        self._floor.let_go(symbol, "it goes at the market")
        return self._native.close(symbol, reason, quantity)

    def market_exit(self) -> None:
        """Let go of everything, close every position at the market."""
        for symbol in self._floor.symbols():
            self._floor.let_go(symbol, "market exit")
        self._native.market_exit()

    def move_stop(self, symbol: str, stop: float | Decimal, reason: str) -> None:
        """Move the stop of a position, and of what is still to be entered."""
        self._native.move_stop(symbol, stop, reason)
        price = self._desk.rounded(symbol, stop)
        if price is not None:
            self._floor.move_stop(symbol, price)


class Pace:
    """Shows the floor every bar, and the time once all bars of a moment were seen.

    Parameters
    ----------
    floor : Floor
        Whose deadlines are looked at.
    alert : Callable
        Calls an action at a data time: (label, ts, action).
    """

    def __init__(self, floor: Floor, alert: Callable[[str, int, Callable[[], None]], None]) -> None:
        self._floor = floor
        self._alert = alert
        self._seen: set[str] = set()

    def bars(
        self, on_bar: Callable[[Bar], None], symbol_of: Callable[[Bar], str]
    ) -> Callable[[Bar], None]:
        """Return a bar handler that shows the floor a bar before the strategy sees it."""

        def handle(bar: Bar) -> None:
            symbol = symbol_of(bar)
            self._floor.observe(symbol, bar.close.raw // RAW_PER_NANO)
            on_bar(bar)
            if self._floor.pending(symbol):
                self._after(symbol, bar.ts_event)

        return handle

    def _after(self, symbol: str, ts: int) -> None:
        if not self._seen:
            # One nanosecond later, as session closes: bars of that moment come first.
            self._alert("deadlines of worked orders", ts + 1, lambda: self._look(ts))
        self._seen.add(symbol)

    def _look(self, ts: int) -> None:
        seen, self._seen = sorted(self._seen), set()
        self._floor.after_bars(ts, seen)
