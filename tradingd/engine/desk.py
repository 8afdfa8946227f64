"""The only way from a strategy to the venue: gate, wire, engine order, record.

Every order becomes a ticket with a running number. The gate judges it when the strategy asks; what
is allowed travels over the wire and becomes an engine order; what happens to that comes back in
`executions`, which keeps the book and writes the records.
"""

from collections.abc import Callable
from typing import Any

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose, Side, Verdict
from tradingd.engine.ledger import Ledger
from tradingd.engine.orders import deny, engine_order
from tradingd.engine.tape import Prices
from tradingd.engine.ticket import Stage, Ticket
from tradingd.engine.units import limit_on_tick, on_tick, opposite
from tradingd.engine.venue import Verbs
from tradingd.engine.wire import Wire
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate


class Desk:
    """Takes orders of one strategy, gates them and follows them to the end.

    Parameters
    ----------
    strategy : str
        Name on the records.
    gate, book, ledger : Gate, Book, Ledger
        Judge, account and records.
    ticks : dict[str, Nanos]
        Price increment per symbol.
    tickets : dict[str, Ticket]
        Tickets by engine order id; shared with the fill and fee models.
    tape : Prices
        Knows the last price of symbols nobody holds.
    forget : Callable
        Tells the commission model that an order is closed.
    """

    def __init__(
        self,
        *,
        strategy: str,
        gate: Gate,
        book: Book,
        ledger: Ledger,
        ticks: dict[str, Nanos],
        tickets: dict[str, Ticket],
        tape: Prices,
        forget: Callable[[str], None],
    ) -> None:
        self.strategy = strategy
        self.book = book
        self.ledger = ledger
        self.ticks = ticks
        self.tickets = tickets
        self.session: Session | None = None
        self.verbs: Verbs
        self.factory: Any
        self.wire: Wire
        self.now: Callable[[], int]
        self.before_exit: Callable[[Ticket], None]
        self.on_filled: Callable[[Ticket, int], None] = lambda _ticket, _shares: None
        self.on_over: Callable[[Ticket, str], None] = lambda _ticket, _status: None
        self._gate = gate
        self._tape = tape
        self.forget = forget
        self._open: dict[str, dict[str, Ticket]] = {}
        self._numbers = 0

    def connect(self, *, verbs: Verbs, factory: Any, wire: Wire, now: Callable[[], int]) -> None:
        """Take the engine's side, which exists once the strategy is registered."""
        self.verbs = verbs
        self.factory = factory
        self.wire = wire
        self.now = now

    # -- facts -----------------------------------------------------------------------------------

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        line = self.book.position(symbol)
        return 0 if line is None else line.quantity

    def open_tickets(self, symbol: str) -> list[Ticket]:
        """Return the orders of a symbol that have no final state yet, oldest first."""
        return list(self._open.get(symbol, {}).values())

    def all_open(self) -> list[Ticket]:
        """Return every order without a final state, oldest first."""
        found = [ticket for tickets in self._open.values() for ticket in tickets.values()]
        return sorted(found, key=lambda ticket: ticket.seq)

    def pending(self, symbol: str) -> bool:
        """Tell whether an entry or an exit is on its way or working."""
        return any(
            ticket.purpose in (Purpose.ENTRY, Purpose.EXIT)
            for ticket in self._open.get(symbol, {}).values()
        )

    def leaving(self, symbol: str) -> int:
        """Return the shares that market exits are taking out."""
        return sum(
            ticket.leaves
            for ticket in self._open.get(symbol, {}).values()
            if ticket.purpose is Purpose.EXIT and ticket.type is OrderType.MARKET
        )

    # -- orders ----------------------------------------------------------------------------------

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
        """Send an entry; return its id, or None when the gate denied it."""
        ticket = self.ticket(
            symbol,
            side,
            quantity,
            OrderType.MARKET if limit is None else OrderType.LIMIT,
            Purpose.ENTRY,
            reason,
            limit=limit,
            protective_stop=stop,
        )
        if not self.admit(ticket):
            return None
        self.wire.order(symbol, lambda: self.arrive(ticket))
        return ticket.order_id

    def exit(self, symbol: str, *, reason: str, quantity: int | None) -> str | None:
        """Send a market order that closes the position, or part of it; never more than is held."""
        held = self.position(symbol)
        shares = max(0, abs(held) - self.leaving(symbol))
        if quantity is not None:
            shares = min(shares, quantity)
        if shares <= 0:
            return None
        side = Side.SELL if held > 0 else Side.BUY
        ticket = self.ticket(
            symbol, side, shares, OrderType.MARKET, Purpose.EXIT, reason, reduces=True
        )
        if not self.admit(ticket):
            return None
        self.wire.order(symbol, lambda: self.arrive(ticket))
        return ticket.order_id

    def cancel(self, ticket: Ticket) -> None:
        """Ask for the cancellation of an order; one that is still on its way never arrives."""
        self.wire.message(lambda: self.withdraw(ticket))

    def withdraw(self, ticket: Ticket) -> None:
        """Cancel now: at the venue when it is there, in our hands when it is not."""
        if ticket.stage is Stage.WORKING:
            self.verbs.cancel(ticket.engine_id)
        elif ticket.open:
            self.close(ticket, "CANCELED")

    def recall(self, ticket: Ticket) -> None:
        """Take a working order back from the venue, to place what is left of it later."""
        engine_id = ticket.engine_id
        ticket.stage = Stage.CONTINUING
        ticket.engine_id = ""
        self.verbs.cancel(engine_id)

    def go_on(self, ticket: Ticket, resume: Callable[[], None]) -> None:
        """Take what is left of a taking order back, and `resume` when there may be more."""
        self.recall(ticket)
        resume()

    # -- the life of a ticket --------------------------------------------------------------------

    def ticket(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        kind: OrderType,
        purpose: Purpose,
        reason: str,
        **details: Any,
    ) -> Ticket:
        """Give a new order its number.

        Raises
        ------
        ValueError
            For an empty reason, a quantity that is no positive whole number, an unknown symbol.
        """
        if not reason.strip():
            raise ValueError(f"an order of {symbol} needs a reason")
        if symbol not in self.ticks:
            raise ValueError(f"{symbol!r} is not one of this run's symbols")
        if quantity <= 0 or quantity != int(quantity):
            raise ValueError(f"quantity of {symbol} must be a positive whole number: {quantity}")
        self._numbers += 1
        return Ticket(
            seq=self._numbers,
            order_id=f"O-{self._numbers:06d}",
            strategy=self.strategy,
            symbol=symbol,
            side=side,
            quantity=int(quantity),
            type=kind,
            purpose=purpose,
            reason=reason,
            ts=self.now(),
            **details,
        )

    def admit(self, ticket: Ticket) -> bool:
        """Ask the gate; record the denial, or count the order as working."""
        intent = ticket.intent(self.mark(ticket.symbol))
        verdict = self._gate.check(intent, self.now(), self.session)
        denials = verdict.denials or self._widens(ticket)
        if denials:
            self.refuse(ticket, denials)
            return False
        self._open.setdefault(ticket.symbol, {})[ticket.order_id] = ticket
        self.book.order_opened(intent)
        return True

    def judge(self, ticket: Ticket, guards: int = 0) -> Verdict:
        """Return the gate's verdict; `guards` are shares whose fill releases a bracket's leg."""
        intent = ticket.intent(self.mark(ticket.symbol))
        return self._gate.check(intent, self.now(), self.session, guards=guards)

    def judge_stop(self, symbol: str, stop: Nanos, standing: Nanos | None = None) -> Verdict:
        """Return the gate's verdict on moving a protective stop."""
        self.mark(symbol)
        return self._gate.check_stop(symbol, stop, standing)

    def _widens(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Judge what an entry's stop does to the shares held: it will guard them all."""
        stop = ticket.protective_stop
        if stop is None or self.position(ticket.symbol) * ticket.side.sign <= 0:
            return ()
        return self.judge_stop(ticket.symbol, stop).denials

    def register(self, ticket: Ticket) -> None:
        """Follow an order from now on; the book counts it as pending exposure."""
        self._open.setdefault(ticket.symbol, {})[ticket.order_id] = ticket
        self.book.order_opened(ticket.intent(self.mark(ticket.symbol)))

    def arrive(self, ticket: Ticket) -> None:
        """Hand an order to the venue, unless it was withdrawn or has nothing left to do."""
        if not ticket.open:
            return
        if ticket.reduces and not self._clip(ticket):
            self.close(ticket, "CANCELED")
            return
        if ticket.purpose is Purpose.EXIT and ticket.type is OrderType.MARKET:
            self.before_exit(ticket)
        self.place(ticket)

    def place(self, ticket: Ticket) -> None:
        """Submit the engine order of a ticket."""
        if ticket.native is not None and not ticket.engine_ids:
            order = ticket.native
            ticket.engine_ids = 1
            ticket.engine_id = order.client_order_id.value
        else:
            order = engine_order(ticket, self.factory)
        self.tickets[ticket.engine_id] = ticket
        ticket.stage = Stage.WORKING
        ticket.arrived = self.now()
        self.verbs.submit(order, **ticket.native_options)

    def close(self, ticket: Ticket, status: str) -> None:
        """Give an order its final state and record it."""
        if not ticket.open:
            return
        self._closed(ticket)
        self.ledger.order(ticket, status, self.now())
        self.on_over(ticket, status)

    def refuse(self, ticket: Ticket, denials: tuple[Denial, ...], status: str = "DENIED") -> None:
        """Record an order that may not leave, with every limit that said no."""
        self._closed(ticket)
        limits = ticket.denied = ",".join(denial.limit for denial in denials)
        if ticket.native is not None and not ticket.engine_ids:
            deny(ticket.native, f"gate: {limits}", self.now())
        for denial in denials:
            self.ledger.denial(ticket, denial, self.now())
        self.ledger.order(ticket, status, self.now(), denied_by=limits)
        self.on_over(ticket, status)

    def mark(self, symbol: str) -> Nanos:
        """Return the last price of a symbol, 0 before the first.

        Bars mark what is held; a flat symbol is marked here, when somebody asks.
        """
        line = self.book.line(symbol)
        if line is None or not line.quantity:
            last = self._tape.last_close(symbol, self.now())
            if last is None:
                return 0 if line is None else line.mark
            if line is None or last[1] > line.mark_ts:
                self.book.mark(symbol, *last)
                return last[0]
        assert line is not None
        return line.mark

    def limit_price(self, symbol: str, side: Side, value: Any) -> Nanos | None:
        """Return a limit a strategy gave, on the symbol's tick and never worse for the order."""
        return None if value is None else limit_on_tick(value, self.ticks[symbol], side)

    def rounded(self, symbol: str, value: Any) -> Nanos | None:
        """Return a price a strategy gave, on the symbol's tick."""
        return None if value is None else on_tick(value, self.ticks[symbol])

    def purge(self) -> None:
        """Forget closed orders; no event of theirs can come any more."""
        for engine_id in [key for key, ticket in self.tickets.items() if not ticket.open]:
            del self.tickets[engine_id]

    def _closed(self, ticket: Ticket) -> None:
        ticket.stage = Stage.CLOSED
        self._open.get(ticket.symbol, {}).pop(ticket.order_id, None)
        self.book.order_closed(ticket.order_id)
        self.forget(ticket.order_id)

    def _clip(self, ticket: Ticket) -> bool:
        """Cut a reducing order to the position as it is now; False when none is left."""
        held = self.position(ticket.symbol)
        if held * ticket.side.sign >= 0:
            return False
        if ticket.leaves > abs(held):
            ticket.quantity = ticket.filled + abs(held)
        return True


def closing_side(position: int) -> Side:
    """Return the side that reduces a position."""
    return opposite(Side.BUY if position > 0 else Side.SELL)
