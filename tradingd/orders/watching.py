"""Targets and limit exits that are kept here until their price is reached.

A broker that holds back the shares of every working sale takes either the stop of a position or its
target. The stop is the one that must work while this process does not; so the target is watched,
and what is reached leaves at the market, after the stop has let go of its shares.
"""

from collections.abc import Callable
from typing import Final

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.domain.trading import Step
from tradingd.orders.admission import Admission
from tradingd.orders.desk import Desk
from tradingd.orders.guard import Leg
from tradingd.orders.protection import Protection
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_PRICE, WAITING_ROOM, Ticket

_STAYS: Final = (TimeInForce.DAY, TimeInForce.GTC)


class Watching:
    """Knows which exits may rest at the broker, keeps the others, and lets go of them.

    Parameters
    ----------
    desk, sender, protection, admission : Desk, Sender, Protection, Admission
        Parts of the same shim.
    session : Callable
        The session at a data time.
    apart : bool
        The broker lets no two exits rest over the same shares. Otherwise nothing is kept; what an
        earlier process kept is still watched.
    """

    def __init__(
        self,
        desk: Desk,
        sender: Sender,
        protection: Protection,
        admission: Admission,
        *,
        session: Callable[[int], Session | None],
        apart: bool,
    ) -> None:
        self._desk = desk
        self._sender = sender
        self._protection = protection
        self._admission = admission
        self._session = session
        self._apart = apart
        self._seen: dict[str, frozenset[str]] = {}

    # -- before an order leaves ------------------------------------------------------------------

    def needed(self, ticket: Ticket) -> bool:
        """Tell whether a new order is to be kept here instead of resting at the broker."""
        stays = ticket.time_in_force in _STAYS and not ticket.extended_hours
        limit = ticket.purpose is Purpose.EXIT and ticket.type is OrderType.LIMIT
        return self._apart and limit and stays

    def keep(self, ticket: Ticket) -> None:
        """Keep an order; one that is good for the day ends with its session."""
        ticket.note = WAITING_PRICE
        session = self._session(ticket.ts)
        if ticket.time_in_force is TimeInForce.DAY and session is not None:
            ends = ticket.expires
            ticket.expires = session.close_ns if ends is None else min(ends, session.close_ns)

    def kept(self, ticket: Ticket) -> None:
        """Let go of an order at once whose price is there already."""
        mark = self._desk.mark(ticket.symbol) if self._trading() else 0
        if mark and ticket.limit is not None and _is_at(ticket.side, ticket.limit, (mark, mark)):
            self._release(ticket, ticket.limit)

    def denial(self, ticket: Ticket) -> Denial | None:
        """Return why an order may not rest beside what rests already; None when it may."""
        if not self._apart or (ticket.immediate and ticket.purpose is Purpose.EXIT):
            return None
        held = self._desk.held(ticket.symbol)
        if held * ticket.side.sign >= 0 or self.needed(ticket):
            return None
        if ticket.purpose is Purpose.ENTRY:
            return _denied(
                f"{held} {ticket.symbol} held",
                "entries that do not turn a position",
                f"the broker does not turn a position with one order: exit {ticket.symbol} first",
            )
        guard = self._protection.guard(ticket.symbol)
        resting = sum(
            other.leaves
            for other in self._desk.open(ticket.symbol)
            if other.rests and other.side is ticket.side and not other.watched
        )
        guarded = guard is not None and guard.stop is not None
        # A stop that is being taken back is among what rests.
        if not guarded and resting + ticket.quantity <= abs(held):
            return None
        return _denied(
            f"the stop of {ticket.symbol}" if guarded else f"{resting} shares of resting exits",
            "exits at the market, limits for the regular session, a move of the stop",
            f"the broker holds back the shares of what rests, and those of {ticket.symbol} are"
            f" taken: a second {ticket.type} {ticket.time_in_force} order cannot rest beside it",
        )

    # -- prices ----------------------------------------------------------------------------------

    def batch(self, batch: Batch) -> None:
        """Take a batch of bars.

        Low and high of a bar count for what was wanted when it began; for everything newer its
        close does, as the extremes may be of a time before.
        """
        for bar in batch.bars:
            if self._wants(bar.symbol):
                self._look(bar)
            else:
                self._seen.pop(bar.symbol, None)

    def quote(self, symbol: str, bid: Nanos, ask: Nanos) -> None:
        """Take the prices at which shares are bought and sold now."""
        if self._wants(symbol):
            self._reached(symbol, lambda _key: (ask, bid))

    # -- private ---------------------------------------------------------------------------------

    def _look(self, bar: MarketBar) -> None:
        symbol, known = bar.symbol, self._seen.get(bar.symbol, ())
        whole, end = (bar.low, bar.high), (bar.close, bar.close)
        self._reached(symbol, lambda key: whole if key in known else end)
        tickets = {ticket.order_id for ticket in self._watched(symbol)}
        self._seen[symbol] = frozenset({_target_key(self._target(symbol)), *tickets})

    def _wants(self, symbol: str) -> bool:
        return self._target(symbol) is not None or bool(self._watched(symbol))

    def _target(self, symbol: str) -> Nanos | None:
        guard = self._protection.guard(symbol) if self._apart else None
        return None if guard is None else guard.take_profit

    def _watched(self, symbol: str) -> list[Ticket]:
        return [ticket for ticket in self._desk.open(symbol) if ticket.watched]

    def _reached(self, symbol: str, prices: Callable[[str], tuple[Nanos, Nanos]]) -> None:
        """Let go of what is reached; `prices` are the lowest and highest that count for a key.

        Only in the session: at night the exit would wait for the opening, whatever it brings.
        """
        if not self._trading():
            return
        for ticket in self._watched(symbol):
            if ticket.limit is not None and _is_at(
                ticket.side, ticket.limit, prices(ticket.order_id)
            ):
                self._release(ticket, ticket.limit)
        held, target = self._desk.held(symbol), self._target(symbol)
        if not held or target is None or not self._protection.ready():
            return
        side = Side.SELL if held > 0 else Side.BUY
        if _is_at(side, target, prices(_target_key(target))):
            reason = f"the target {target / 1e9:.4f} was reached"
            self._protection.close(symbol, abs(held), leg=Leg.TARGET, reason=reason)

    def _trading(self) -> bool:
        now = self._desk.clock.now()
        session = self._session(now)
        return session is not None and session.open_ns <= now <= session.close_ns

    def _release(self, ticket: Ticket, limit: Nanos) -> None:
        """Send a kept exit at the market; while it may not leave it is kept on."""
        if self._admission.refusal(ticket):
            return
        ticket.type, ticket.limit, ticket.touch = OrderType.MARKET, None, limit
        ticket.time_in_force = TimeInForce.DAY
        self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        ticket.note = "" if self._protection.room(ticket) else WAITING_ROOM
        why = f"its limit {limit / 1e9:.4f} was reached: it leaves at the market"
        self._sender.send(ticket, self._desk.record(ticket, Step.INTENT, why))


def _is_at(side: Side, price: Nanos, seen: tuple[Nanos, Nanos]) -> bool:
    lowest, highest = seen
    return highest >= price if side is Side.SELL else lowest <= price


def _target_key(target: Nanos | None) -> str:
    return f"target {target}"


def _denied(observed: str, allowed: str, explanation: str) -> Denial:
    return Denial(limit="broker", observed=observed, allowed=allowed, explanation=explanation)
