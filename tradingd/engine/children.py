"""The desk of a backtest as the venue of worked orders."""

from collections.abc import Callable
from typing import Final

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose
from tradingd.engine.desk import Desk
from tradingd.engine.stops import Stops
from tradingd.engine.ticket import Stage, Ticket
from tradingd.execution.floor import Floor
from tradingd.execution.venue import Child, Ended
from tradingd.execution.work import Over
from tradingd.session.calendar import SessionCalendar

LIMIT: Final = "style"
"""Name of the denial that tells of shares which a worked order did not get."""

_OVER: Final = {"FILLED": Over.FILLED, "CANCELED": Over.CANCELED, "EXPIRED": Over.EXPIRED}


class BacktestVenue:
    """Sends the floor's children through the desk.

    Parameters
    ----------
    desk, stops : Desk, Stops
        Parts of the same run.
    calendar : SessionCalendar
        Says which session an order trades in.
    """

    def __init__(self, desk: Desk, stops: Stops, calendar: SessionCalendar) -> None:
        self._desk = desk
        self._stops = stops
        self._calendar = calendar
        self._numbers = 0

    def connect(self, floor: Floor) -> None:
        """Tell the floor what becomes of every order."""

        def over(ticket: Ticket, status: str) -> None:
            floor.over(ticket.order_id, _OVER.get(status, Over.REFUSED), ticket.denied)

        self._desk.on_filled = lambda ticket, shares: floor.filled(ticket.order_id, shares)
        self._desk.on_over = over

    def now(self) -> int:
        """Return data time."""
        return self._desk.now()

    def next_id(self) -> str:
        """Return a running number."""
        self._numbers += 1
        return f"W-{self._numbers:06d}"

    def tick(self, symbol: str) -> Nanos:
        """Return the price increment."""
        return self._desk.ticks[symbol]

    def held(self, symbol: str) -> int:
        """Return the signed shares held."""
        return self._desk.position(symbol)

    def leaving(self, symbol: str) -> int:
        """Return the shares that market exits are taking out."""
        return self._desk.leaving(symbol)

    def stop(self, symbol: str) -> Nanos | None:
        """Return the protective stop that stands."""
        return self._stops.price(symbol)

    def session(self, now: int) -> Session | None:
        """Return the session an order decided now trades in."""
        return trading_session(self._calendar, now)

    def place(self, child: Child) -> tuple[str, str]:
        """Send a child through the gate and over the wire."""
        desk = self._desk
        ticket = desk.ticket(
            child.symbol,
            child.side,
            child.quantity,
            OrderType.MARKET if child.limit is None else OrderType.LIMIT,
            Purpose.ENTRY if child.entry else Purpose.EXIT,
            child.reason,
            limit=child.limit,
            protective_stop=child.stop if child.entry else None,
            parent_id=child.parent_id,
            reduces=not child.entry,
            worked=True,
        )
        if not desk.admit(ticket):
            return "", ticket.denied
        desk.wire.order(child.symbol, lambda: desk.arrive(ticket))
        return ticket.order_id, ""

    def cancel(self, child_id: str, reason: str) -> None:
        """Ask for a cancel; it travels as long as an order does."""
        del reason
        for ticket in self._desk.all_open():
            if ticket.order_id == child_id:
                self._desk.cancel(ticket)

    def waits(self, child_id: str) -> bool:
        """Tell that nobody is asked in a backtest."""
        del child_id
        return False

    def later(self, action: Callable[[], None]) -> None:
        """Act a nanosecond later: the engine is in the middle of an event."""
        self._desk.wire.soon(action)

    def wake(self, ts: int, parent_id: str, action: Callable[[], None]) -> Callable[[], None]:
        """Refuse: in a backtest deadlines are looked at after bars."""
        raise NotImplementedError

    def report(self, ended: Ended) -> None:
        """Record the shares that a worked order did not get."""
        ticket = Ticket(
            seq=0,
            order_id=ended.parent_id,
            strategy=self._desk.strategy,
            symbol=ended.symbol,
            side=ended.side,
            quantity=ended.quantity,
            type=OrderType.LIMIT,
            purpose=Purpose.ENTRY,
            reason=ended.reason,
            ts=self._desk.now(),
            stage=Stage.CLOSED,
        )
        self._desk.ledger.denial(ticket, unfilled(ended), self._desk.now())


def trading_session(calendar: SessionCalendar, now: int) -> Session | None:
    """Return the session in progress, at its close the next one."""
    return calendar.at(now + 1) or calendar.next_open(now)


def unfilled(ended: Ended) -> Denial:
    """Return the record of a worked order that did not get all its shares."""
    return Denial(
        limit=LIMIT,
        observed=f"{ended.filled} of {ended.quantity} filled",
        allowed="what the style gets inside its prices and time",
        explanation=f"{ended.symbol}: {ended.remainder} shares not filled, {ended.why}.",
    )
