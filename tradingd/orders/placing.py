"""New protective orders: made, judged, written down, sent; slower with every one that fails."""

import asyncio
from collections.abc import Callable
from typing import Final

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.journal import OrderState
from tradingd.domain.orders import OrderType, Purpose, Verdict
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.guard import Guard, Leg, Place, leg_of
from tradingd.orders.naming import LegLetter
from tradingd.orders.sending import Sender
from tradingd.orders.shadow import Shadow
from tradingd.orders.ticket import WAITING_ROOM, Ticket
from tradingd.orders.wanted import Wanted, protects

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 30.0
_TYPES: Final = {
    Leg.STOP: OrderType.STOP_MARKET,
    Leg.TARGET: OrderType.LIMIT,
    Leg.CLOSE: OrderType.MARKET,
}


class Placing:
    """Places legs.

    Parameters
    ----------
    desk, sender, wanted : Desk, Sender, Wanted
        Parts of the same shim.
    check : Callable
        The gate's verdict on a protective order.
    sync : Callable
        Looks at a symbol again, when a leg that failed may be tried.
    room : Callable
        Whether an order at the market can leave now.
    shadow : Shadow or None
        In shadow mode, what has been written down.
    """

    def __init__(
        self,
        desk: Desk,
        sender: Sender,
        wanted: Wanted,
        *,
        check: Callable[[Ticket], Verdict],
        sync: Callable[[str], None],
        room: Callable[[Ticket], bool],
        shadow: Shadow | None,
    ) -> None:
        self._desk = desk
        self._sender = sender
        self._wanted = wanted
        self._check = check
        self._sync = sync
        self._room = room
        self._shadow = shadow
        self._failed: dict[tuple[str, Leg], int] = {}
        self._not_before: dict[tuple[str, Leg], float] = {}
        self._judged: set[str] = set()
        self._refused: set[str] = set()

    def place(
        self, symbol: str, wanted: Place, *, letter: LegLetter | None = None, reason: str = ""
    ) -> None:
        """Place one leg, unless the last one failed a moment ago.

        `letter` and `reason` are those of the leg and its guard unless told otherwise.
        """
        if wanted.leg is Leg.CLOSE and self.closing(symbol):
            return
        if self._shadow is not None and not self._shadow.first(f"{symbol} {wanted}"):
            return
        loop = asyncio.get_running_loop()
        wait = self._not_before.get((symbol, wanted.leg), 0.0) - loop.time()
        if wait > 0:
            loop.call_later(wait, self._sync, symbol)
            return
        guard = self._wanted.guard(symbol) or _nobodys(symbol)
        ticket = self._ticket(guard, wanted, letter or wanted.leg.letter, reason)
        self._desk.add(ticket)
        verdict = self._check(ticket)
        if not verdict.allowed:
            why = "; ".join(denial.explanation for denial in verdict.denials)
            self._desk.close(ticket, OrderState.DENIED, why)
            return
        self._desk.book.order_opened(ticket.intent(self._desk.mark(symbol)))
        rows = self._wanted.placed(symbol, wanted.leg, ticket.order_id)
        if ticket.leaving and not self._room(ticket):
            ticket.note = WAITING_ROOM
        self._sender.send(ticket, self._desk.record(ticket, Step.INTENT, ticket.reason, *rows))

    def closing(self, symbol: str) -> bool:
        """Tell whether shares are being closed: never by two orders at once."""
        return any(leg_of(ticket) is Leg.CLOSE for ticket in self._desk.open(symbol))

    def judge(self, ticket: Ticket, leg: Leg) -> None:
        """Wait longer with every leg that came to nothing without our asking for it."""
        key = (ticket.symbol, leg)
        if ticket.state is OrderState.WORKING or ticket.state is OrderState.FILLED:
            self._failed.pop(key, None)
            self._not_before.pop(key, None)
            if leg is Leg.STOP:
                self._refused.discard(ticket.symbol)
            return
        if leg is Leg.STOP and ticket.state in (OrderState.REJECTED, OrderState.DENIED):
            self._refused.add(ticket.symbol)
        came_to_nothing = not ticket.open and not ticket.cancel_asked and not ticket.filled
        if came_to_nothing and ticket.order_id not in self._judged:
            self._judged.add(ticket.order_id)
            count = self._failed[key] = self._failed.get(key, 0) + 1
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(count, 10))
            self._not_before[key] = asyncio.get_running_loop().time() + wait

    def again(self, symbol: str) -> None:
        """Let a stop that was refused try at once: what was in its way has gone."""
        self._not_before.pop((symbol, Leg.STOP), None)

    def refused(self, symbol: str) -> bool:
        """Tell whether the last stop of a symbol was refused, and none has worked since."""
        return symbol in self._refused

    def _ticket(self, guard: Guard, wanted: Place, letter: LegLetter, reason: str) -> Ticket:
        resting = wanted.leg is not Leg.CLOSE
        return Ticket(
            order_id=self._desk.next_id(guard.strategy, letter),
            run_id=self._desk.run_id,
            strategy=guard.strategy,
            symbol=guard.symbol,
            side=wanted.side,
            quantity=wanted.quantity,
            type=_TYPES[wanted.leg],
            purpose=Purpose.PROTECT,
            reason=reason or guard.reason or protects(guard.parent_id),
            ts=self._desk.clock.now(),
            limit=wanted.price if wanted.leg is Leg.TARGET else None,
            stop=wanted.price if wanted.leg is Leg.STOP else None,
            time_in_force=TimeInForce.GTC if resting else TimeInForce.DAY,
            parent_id=guard.parent_id,
            wall=self._desk.wall(),
            touch=self._desk.mark(guard.symbol),
        )


def _nobodys(symbol: str) -> Guard:
    reason = "a protective order took more than was held"
    return Guard(symbol=symbol, strategy="", parent_id="", reason=reason)
