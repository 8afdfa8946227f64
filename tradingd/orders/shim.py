"""The shim: one object between everybody who wants orders and the one broker that takes them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import Broker, BrokerUnavailable
from tradingd.domain.feed import Batch
from tradingd.domain.journal import Journal, OrderRow
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Purpose, Side, Verdict
from tradingd.domain.recall import Recalled
from tradingd.domain.states import Scope, StateRecord
from tradingd.domain.trading import Admission as Admitted
from tradingd.domain.trading import Listener, Wish
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.kits.failure import ExitCode, Failure
from tradingd.orders.assembly import Parts
from tradingd.orders.recovery import Reconciliation
from tradingd.session.clock import SessionClock

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 1.0
"""Between two questions to a broker that does not answer at the start."""

_SAVE_EVERY: Final = 1_000_000_000
"""Wall nanoseconds between two snapshots of a book that no fill has changed (marks, peak)."""


class Shim:
    """Implements `domain.trading.OrderShim` over any broker and any journal.

    Parameters
    ----------
    instance, run_id : str
        Part of every order id; the run's id on every row.
    broker, journal : Broker, Journal
        Connected and started by the caller.
    gate, book, states : Gate, Book, TradingStates
        The limits, the account they are measured on, and the trading states. The caller restores
        the states before `start`.
    clock : SessionClock
        Data time.
    session : Callable
        The session at a data time, None when the exchange is closed.
    settings : SupervisionConfig
        Settling and grace times; what foreign orders do.
    first_seq : int
        First running number of this process's order ids (`Recalled.next_seq`).
    armed : Callable
        Why nothing may be sent in live trading; None when it may.
    unwell : Callable
        Why nothing may be opened or enlarged (a health check failed); None when it may.
    closed : Callable
        Why nothing may be opened in a symbol: (symbol, side, shares held after); None when it may.
    barred : Callable
        Why nothing at all may leave (the kill switch is latched); None when it may. Asked just
        before every send.
    halted : Callable
        Hears (record, state before) when the shim itself halts the account.
    approval, approval_minutes
        Whether entries wait for a person, and how long (data time).
    shadow : bool
        Judge and write down everything, and send nothing: no order, change or cancel reaches the
        broker.
    strategies : Sequence[str]
        Names of the strategies, to tell them from the ids of orders that the journal lacks.
    wall : Callable
        Time of day, UTC ns.
    """

    def __init__(
        self,
        *,
        instance: str,
        run_id: str,
        broker: Broker,
        journal: Journal,
        gate: Gate,
        book: Book,
        states: TradingStates,
        clock: SessionClock,
        session: Callable[[int], Session | None],
        settings: SupervisionConfig,
        first_seq: int,
        armed: Callable[[], str | None],
        unwell: Callable[[], str | None] = lambda: None,
        closed: Callable[[str, Side, int], str | None] = lambda _symbol, _side, _after: None,
        barred: Callable[[], str | None] = lambda: None,
        halted: Callable[[StateRecord, str], None] = lambda _record, _before: None,
        approval: Literal["auto", "manual"] = "auto",
        approval_minutes: int = 5,
        shadow: bool = False,
        strategies: Sequence[str] = (),
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._broker = broker
        self._book = book
        self._session = session
        self._patience = settings.start_seconds
        self._saved = 0
        self._parts = Parts(
            instance=instance,
            run_id=run_id,
            broker=broker,
            journal=journal,
            gate=gate,
            book=book,
            states=states,
            clock=clock,
            session=session,
            settings=settings,
            first_seq=first_seq,
            armed=armed,
            unwell=unwell,
            closed=closed,
            barred=barred,
            halted=halted,
            approval=approval,
            approval_minutes=approval_minutes,
            shadow=shadow,
            strategies=strategies,
            wall=wall,
        )
        self._desk = self._parts.desk
        self._guards = self._parts.guards

    # -- start and stop --------------------------------------------------------------------------

    async def start(self, recalled: Recalled) -> None:
        """Rebuild from the journal, reconcile with the broker, then follow its events.

        Raises
        ------
        Failure
            BROKER, when the broker cannot be asked.
        """
        tickets = self._parts.restart.restore(recalled)
        await self._reconciled(self._patience)
        self._parts.restart.resume(tickets)
        self._parts.following.begin()

    async def _reconciled(self, patience: float) -> None:
        """Reconcile, again while the broker does not answer: a rate limit or an outage passes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while True:
            try:
                await self._parts.reconciler.run()
            except BrokerUnavailable as error:
                if loop.time() + _AGAIN_SECONDS > end:
                    raise Failure(
                        f"the {self._broker.name} broker cannot be asked for its orders",
                        code=ExitCode.BROKER,
                        expected=f"an answer within {patience:g} s",
                        found=str(error),
                        next_step="look at the broker's status, then start again",
                    ) from error
                log.warning("the broker cannot be asked yet, it is asked again: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return

    async def stop(self) -> None:
        """End every task; orders and positions stay as they are."""
        self._parts.following.end()
        try:
            if self._parts.fills.unsaved:
                await self._desk.write(self._parts.fills.book_row())
        finally:
            await self._desk.stop()

    # -- OrderShim -------------------------------------------------------------------------------

    def submit(self, wish: Wish, *, order_id: str | None = None) -> Admitted:
        """Judge a wish; write it down and send it, or record why not.

        Raises
        ------
        ValueError
            When the wish makes no sense, or the id was used before.
        """
        return self._parts.intake.submit(wish, order_id)

    def next_id(self, *, strategy: str = "", purpose: Purpose | None = None) -> str:
        """Return an order id that has never been used; it names its owner (`naming`)."""
        return self._parts.intake.next_id(strategy, purpose)

    def cancel(self, order_id: str, *, reason: str) -> bool:
        """Take an order back; a protective leg that is cancelled is no longer wanted."""
        ticket = self._desk.get(order_id)
        if ticket is None or not ticket.open:
            return False
        if ticket.purpose is Purpose.PROTECT:
            self._guards.forget(ticket)
        return self._parts.changes.cancel(ticket, reason)

    def replace(
        self,
        order_id: str,
        *,
        quantity: int | None = None,
        limit: Nanos | None = None,
        stop: Nanos | None = None,
        reason: str,
    ) -> Verdict:
        """Change a working order; what may enlarge the risk passes the gate again."""
        ticket = self._desk.get(order_id)
        if ticket is not None and ticket.open and ticket.purpose is Purpose.PROTECT:
            target = limit if ticket.stop is None else None
            wanted = stop if ticket.stop is not None else self.stop_price(ticket.symbol)
            return self._guards.set(ticket.symbol, stop=wanted, take_profit=target, reason=reason)
        return self._guards.replace(
            ticket, self._parts.changes, quantity=quantity, limit=limit, stop=stop, reason=reason
        )

    def guard(
        self, symbol: str, *, stop: Nanos | None, take_profit: Nanos | None = None, reason: str
    ) -> Verdict:
        """Set or move the protection of a position.

        None `take_profit` leaves the target as it is; None `stop` removes stop and target.
        """
        return self._guards.set(symbol, stop=stop, take_profit=take_profit, reason=reason)

    async def cancel_all(self, scope: Scope, *, reason: str, author: str) -> Sequence[str]:
        """Cancel every order in scope but protection; return the ids confirmed over in time."""
        return await self._parts.flattening.cancel_all(scope, reason=reason, author=author)

    async def flatten(self, scope: Scope, *, reason: str, author: str) -> bool:
        """Cancel, close at market, verify with the broker; True when proven flat in time.

        The caller sets the trading state first, so that nothing is opened meanwhile.
        """
        return await self._parts.flattening.flatten(scope, reason=reason, author=author)

    def open_orders(self) -> Sequence[OrderRow]:
        """Return the orders that are not over, oldest first."""
        return [ticket.row() for ticket in self._desk.open()]

    def known_orders(self) -> Sequence[OrderRow]:
        """Return every order that is remembered, over or not, oldest first."""
        return [ticket.row() for ticket in self._desk.known()]

    def order(self, order_id: str) -> OrderRow | None:
        """Return an order of this process or one that was recovered."""
        ticket = self._desk.get(order_id)
        return None if ticket is None else ticket.row()

    def stop_price(self, symbol: str) -> Nanos | None:
        """Return the price of the stop that guards a symbol."""
        guard = self._parts.protection.guard(symbol)
        return None if guard is None else guard.stop

    def owners(self) -> Mapping[str, str]:
        """Return which strategy opened the position of each symbol."""
        return {
            symbol: self._parts.restart.owners.get(symbol, "")
            if line.trip is None
            else line.trip.strategy
            for symbol, line in self._book.positions().items()
        }

    def listen(self, listener: Listener) -> None:
        """Hear every step of every order from now on."""
        self._desk.listen(listener)

    # -- beside the Protocol ---------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True while the broker is connected and reconciled: orders may leave."""
        return self._parts.following.ready

    @property
    def reconciliation(self) -> Reconciliation:
        """The last comparison with the broker."""
        return self._parts.reconciler.last

    @property
    def unconfirmed(self) -> Sequence[str]:
        """Orders that the last `cancel_all` or `flatten` could not prove to be over in time."""
        return self._parts.flattening.unconfirmed

    async def reconcile(self) -> Reconciliation:
        """Compare with the broker now; orders go on meanwhile.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer.
        """
        return await self._parts.reconciler.run()

    async def adopt(self, *, reason: str, author: str) -> Sequence[str]:
        """Book what others traded in this account (by hand, by the kill switch); then compare.

        Returns the adopted orders as sentences; `reconciliation` says whether anything differs
        still. The halt stays until somebody resumes.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer.
        """
        adopted = await self._parts.adoption.run(reason=reason, author=author)
        await self._parts.reconciler.run()
        return adopted

    def on_batch(self, batch: Batch) -> None:
        """Mark the book with a batch of bars, and journal it.

        After fills at once; otherwise, for the day's peak, at most once a second.
        """
        session = self._session(batch.ts)
        if session is not None:
            self._book.start_session(session)
        for bar in batch.bars:
            self._book.mark(bar.symbol, bar.close, batch.ts)
        self._parts.watching.batch(batch)
        due = self._desk.wall() - self._saved >= _SAVE_EVERY
        if self._parts.fills.unsaved or (due and self._book.positions()):
            self.save_book()

    def on_quote(self, symbol: str, bid: Nanos, ask: Nanos) -> None:
        """Take the prices at which a symbol is sold and bought now, for targets watched here."""
        self._parts.watching.quote(symbol, bid, ask)

    def save_book(self) -> None:
        """Journal the book as it is."""
        self._saved = self._desk.wall()
        self._desk.write(self._parts.fills.book_row())

    async def settled(self, seconds: float) -> bool:
        """Wait until no order is between the gate and its outcome; False when it takes longer."""
        return await self._desk.until(
            lambda: not any(ticket.in_flight for ticket in self._desk.open()), seconds
        )

    def unknown_orders(self) -> Sequence[OrderRow]:
        """Return orders whose outcome is not proven.

        Sent without an answer, told to be over without their fills, and exits that cannot leave
        because the broker does not confirm that protection has let go.
        """
        return [ticket.row() for ticket in self._desk.open() if ticket.unproven]

    def unprotected(self) -> Sequence[str]:
        """Return the symbols whose wanted stop is not working at the broker."""
        return self._parts.protection.unprotected()

    def strays(self) -> Sequence[str]:
        """Return the symbols with shares that nobody meant to hold and that are being closed."""
        return self._parts.protection.strays()

    def waiting_for_approval(self) -> Sequence[OrderRow]:
        """Return the entries that wait for a person."""
        return [ticket.row() for ticket in self._parts.approval.waiting()]

    def approve(self, order_id: str) -> bool:
        """Send an entry that waits; False when there is none, or the limits deny it by now."""
        return self._parts.approval.approve(order_id)

    def reject(self, order_id: str) -> bool:
        """Drop an entry that waits; False when there is none."""
        return self._parts.approval.reject(order_id)

    def broker_errors(self, now: int) -> int:
        """Return how often the broker failed in the minute before a wall time (UTC ns)."""
        return self._parts.errors.count(now)

    @property
    def broker_errors_total(self) -> int:
        """How often the broker failed since the start."""
        return self._parts.errors.total
