"""The shim: one object between everybody who wants orders and the one broker that takes them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import (
    AdjustmentUpdate,
    Broker,
    BrokerEvent,
    BrokerUnavailable,
    ConnectionUpdate,
    FillUpdate,
    OrderUpdate,
)
from tradingd.domain.feed import Batch
from tradingd.domain.journal import AuditRow, Journal, OrderRow, OrderState
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, Purpose, Verdict
from tradingd.domain.recall import Recalled
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.domain.trading import Admission as Admitted
from tradingd.domain.trading import Listener, Step, Wish
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates, journaled
from tradingd.kits.failure import ExitCode, Failure
from tradingd.orders import recovery
from tradingd.orders.adjustments import Adjustments
from tradingd.orders.admission import Admission
from tradingd.orders.adopting import Adoption
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.fills import Fills
from tradingd.orders.flattening import Flattening
from tradingd.orders.guards import Guards
from tradingd.orders.naming import leg_letter
from tradingd.orders.protection import Protection
from tradingd.orders.reconcile import Reconciler, settle_unsent
from tradingd.orders.recovery import Reconciliation
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_APPROVAL, WAITING_ROOM, Ticket
from tradingd.orders.truth import Truth
from tradingd.orders.waiting import Approval, Expiry
from tradingd.session.clock import SessionClock

log = logging.getLogger(__name__)

_PAUSE = 0.2
"""Seconds before a broker that did not answer, or whose stream ended, is asked again."""

_TURN = 16
"""Events of the broker between two turns of the loop: hundreds come at once after a busy minute."""

_SAVE_EVERY = 1_000_000_000
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
    barred : Callable
        Why nothing at all may leave (the kill switch is latched); None when it may. Asked just
        before every send.
    halted : Callable
        Hears (record, state before) when the shim itself halts the account.
    approval, approval_minutes
        Whether entries wait for a person, and how long (data time).
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
        barred: Callable[[], str | None] = lambda: None,
        halted: Callable[[StateRecord, str], None] = lambda _record, _before: None,
        approval: Literal["auto", "manual"] = "auto",
        approval_minutes: int = 5,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._broker = broker
        self._book = book
        self._states = states
        self._session = session
        self._barred = barred
        self._halted = halted
        self._ready = False
        self._running = False
        self._saved = 0
        self._owners: Mapping[str, str] = {}
        self._errors = BrokerErrors(wall)
        self._desk = Desk(
            instance=instance,
            run_id=run_id,
            journal=journal,
            book=book,
            clock=clock,
            wall=wall,
            first_seq=first_seq,
        )
        self._doubt = Doubt(self._desk)
        self._fills = Fills(self._desk)
        self._truth = Truth(self._desk, broker, self._fills, self._errors)
        self._changes = Changes(self._desk, broker, self._truth, self._errors)
        self._sender = Sender(self._desk, broker, self._truth, self._errors, settings)
        self._admission = Admission(
            self._desk,
            broker,
            gate=gate,
            states=states,
            session=session,
            armed=armed,
            ready=lambda: self._ready,
            unwell=unwell,
            barred=barred,
        )
        self._protection = Protection(
            self._desk, self._sender, self._changes, self._doubt, self._admission.check
        )
        self._guards = Guards(self._desk, self._protection, gate, self._admission)
        self._adjustments = Adjustments(
            self._desk, self._fills, self._protection, self._truth, self._flag
        )
        self._reconciler = Reconciler(
            self._desk,
            broker,
            fills=self._fills,
            truth=self._truth,
            sender=self._sender,
            changes=self._changes,
            protection=self._protection,
            adjustments=self._adjustments,
            doubt=self._doubt,
            errors=self._errors,
            settings=settings,
            halt=self._halt,
        )
        self._flattening = Flattening(
            self._desk,
            broker,
            changes=self._changes,
            sender=self._sender,
            protection=self._protection,
            doubt=self._doubt,
            ready=lambda: self._ready and self._barred() is None,
            reconcile=self.reconcile,
            settings=settings,
        )
        self._approval = Approval(
            self._desk,
            self._sender,
            self._admission,
            manual=approval == "manual",
            minutes=approval_minutes,
        )
        self._expiry = Expiry(self._desk, self._changes)
        self._adoption = Adoption(self._desk, broker, self._fills)
        self._join()

    def _join(self) -> None:
        """Tie the knots that constructors cannot: parts that call each other."""
        self._desk.changed = self._changed
        self._desk.fault = self._fault
        self._desk.revived = self._changes.again
        self._fills.protection = self._protection
        self._truth.mismatch = self._flag
        self._truth.cancel = self._changes.cancel
        self._sender.refusal = self._admission.refusal
        self._sender.room = self._protection.room
        self._sender.fits = self._protection.fits
        self._sender.backed = self._doubt.backed
        self._protection.ready = lambda: self._ready and self._barred() is None

    # -- start and stop --------------------------------------------------------------------------

    async def start(self, recalled: Recalled) -> None:
        """Rebuild from the journal, reconcile with the broker, then follow its events.

        Raises
        ------
        Failure
            BROKER, when the broker cannot be asked.
        """
        tickets = self._restore(recalled)
        try:
            await self._reconciler.run()
        except BrokerUnavailable as error:
            raise Failure(
                f"the {self._broker.name} broker cannot be asked for its orders",
                code=ExitCode.BROKER,
                found=str(error),
                next_step="check that it runs and is logged in, then start again",
            ) from error
        self._resume(tickets)
        self._open_for_orders()
        self._running = True
        self._desk.spawn("broker events", self.run())

    async def stop(self) -> None:
        """End every task; orders and positions stay as they are."""
        self._running = False
        self._ready = False
        try:
            if self._fills.unsaved:
                await self._desk.write(self._fills.book_row())
        finally:
            await self._desk.stop()

    async def run(self) -> None:
        """Follow the broker's events; `start` runs this in a task of its own."""
        taken = 0
        while True:
            async for event in self._broker.events():
                try:
                    await self._take(event)
                except Exception as error:  # noqa: BLE001 - one event must not end the stream
                    self._fault(f"an event of the broker could not be taken: {event}", error)
                taken += 1
                if taken % _TURN == 0:
                    await asyncio.sleep(0)
            # The stream ended, which it never should: whatever was missed is asked for.
            self._ready = False
            await asyncio.sleep(_PAUSE)
            await self._return("the event stream ended")

    # -- OrderShim -------------------------------------------------------------------------------

    def submit(self, wish: Wish, *, order_id: str | None = None) -> Admitted:
        """Judge a wish; write it down and send it, or record why not.

        Raises
        ------
        ValueError
            When the wish makes no sense, or the id was used before.
        """
        if order_id is not None and self._desk.get(order_id) is not None:
            raise ValueError(f"order id {order_id} was used before")
        fresh = order_id or self.next_id(strategy=wish.strategy, purpose=wish.purpose)
        ticket = self._admission.ticket(wish, fresh)
        denials = self._admission.judge(ticket)
        if denials:
            return self._deny(ticket, denials)
        held_back = self._approval.needed(ticket)
        self._desk.add(ticket)
        self._book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        if held_back:
            ticket.note = WAITING_APPROVAL
        elif ticket.leaving and not self._protection.room(ticket):
            ticket.note = WAITING_ROOM
        committed = self._desk.record(
            ticket, Step.INTENT, ticket.note, self._admission.signal(ticket)
        )
        self._expiry.watch(ticket)
        if held_back:
            self._approval.hold(ticket)
        else:
            self._sender.send(ticket, committed)
        return Admitted(ticket.order_id, Verdict())

    def next_id(self, *, strategy: str = "", purpose: Purpose | None = None) -> str:
        """Return an order id that has never been used; it names its owner (`naming`)."""
        return self._desk.next_id(strategy, leg_letter(purpose))

    def cancel(self, order_id: str, *, reason: str) -> bool:
        """Take an order back; a protective leg that is cancelled is no longer wanted."""
        ticket = self._desk.get(order_id)
        if ticket is None or not ticket.open:
            return False
        if ticket.purpose is Purpose.PROTECT:
            self._guards.forget(ticket)
        return self._changes.cancel(ticket, reason)

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
            ticket, self._changes, quantity=quantity, limit=limit, stop=stop, reason=reason
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
        return await self._flattening.cancel_all(scope, reason=reason, author=author)

    async def flatten(self, scope: Scope, *, reason: str, author: str) -> bool:
        """Cancel, close at market, verify with the broker; True when proven flat in time.

        The caller sets the trading state first, so that nothing is opened meanwhile.
        """
        return await self._flattening.flatten(scope, reason=reason, author=author)

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
        guard = self._protection.guard(symbol)
        return None if guard is None else guard.stop

    def owners(self) -> Mapping[str, str]:
        """Return which strategy opened the position of each symbol."""
        return {
            symbol: self._owners.get(symbol, "") if line.trip is None else line.trip.strategy
            for symbol, line in self._book.positions().items()
        }

    def listen(self, listener: Listener) -> None:
        """Hear every step of every order from now on."""
        self._desk.listen(listener)

    # -- beside the Protocol ---------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True while the broker is connected and reconciled: orders may leave."""
        return self._ready

    @property
    def reconciliation(self) -> Reconciliation:
        """The last comparison with the broker."""
        return self._reconciler.last

    @property
    def unconfirmed(self) -> Sequence[str]:
        """Orders that the last `cancel_all` or `flatten` could not prove to be over in time."""
        return self._flattening.unconfirmed

    async def reconcile(self) -> Reconciliation:
        """Compare with the broker now; orders go on meanwhile.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer.
        """
        return await self._reconciler.run()

    async def adopt(self, *, reason: str, author: str) -> Sequence[str]:
        """Book what others traded in this account (by hand, by the kill switch); then compare.

        Returns the adopted orders as sentences; `reconciliation` says whether anything differs
        still. The halt stays until somebody resumes.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer.
        """
        adopted = await self._adoption.run(reason=reason, author=author)
        await self._reconciler.run()
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
        due = self._desk.wall() - self._saved >= _SAVE_EVERY
        if self._fills.unsaved or (due and self._book.positions()):
            self.save_book()

    def save_book(self) -> None:
        """Journal the book as it is."""
        self._saved = self._desk.wall()
        self._desk.write(self._fills.book_row())

    async def settled(self, seconds: float) -> bool:
        """Wait until no order is between the gate and its outcome; False when it takes longer."""
        return await self._desk.until(lambda: not any(map(_in_flight, self._desk.open())), seconds)

    def unknown_orders(self) -> Sequence[OrderRow]:
        """Return orders whose outcome is not proven.

        Sent without an answer, told to be over without their fills, and exits that cannot leave
        because the broker does not confirm that protection has let go.
        """
        return [ticket.row() for ticket in self._desk.open() if _unproven(ticket)]

    def unprotected(self) -> Sequence[str]:
        """Return the symbols whose wanted stop is not working at the broker."""
        return self._protection.unprotected()

    def strays(self) -> Sequence[str]:
        """Return the symbols with shares that nobody meant to hold and that are being closed."""
        return self._protection.strays()

    def waiting_for_approval(self) -> Sequence[OrderRow]:
        """Return the entries that wait for a person."""
        return [ticket.row() for ticket in self._approval.waiting()]

    def approve(self, order_id: str) -> bool:
        """Send an entry that waits; False when there is none, or the limits deny it by now."""
        return self._approval.approve(order_id)

    def reject(self, order_id: str) -> bool:
        """Drop an entry that waits; False when there is none."""
        return self._approval.reject(order_id)

    def broker_errors(self, now: int) -> int:
        """Return how often the broker failed in the minute before a wall time (UTC ns)."""
        return self._errors.count(now)

    # -- private ---------------------------------------------------------------------------------

    def _restore(self, recalled: Recalled) -> list[Ticket]:
        tickets = recovery.tickets_of(recalled)
        recovery.rebuild(self._book, recalled, tickets)
        for ticket in tickets:
            self._desk.add(ticket)
        saved = 0 if recalled.book is None else recalled.book.fills
        self._fills.restore(
            count=saved + len(recalled.fills_after_book),
            seen=recalled.fill_ids,
            last=recalled.last_fill_ts,
            entered=recovery.entry_reasons(tickets),
        )
        self._adjustments.restore(recalled.adjustment_ids)
        self._protection.restore(recalled.guards, recalled.marks)
        self._owners = recalled.owners
        held = {symbol: line.quantity for symbol, line in self._book.positions().items()}
        for text in recovery.journal_differences(recalled, held):
            self._flag(text)
        self._reconciler.fresh = recalled.book is None and not recalled.fill_ids
        return tickets

    def _resume(self, tickets: Sequence[Ticket]) -> None:
        """Go on with the orders an earlier process left."""
        for ticket in tickets:
            if not ticket.open:
                continue
            if ticket.note == WAITING_APPROVAL:
                self._approval.hold(ticket)
            elif not ticket.sent:
                settle_unsent(self._desk, ticket)
            self._expiry.watch(ticket)

    def _open_for_orders(self) -> None:
        # Gone again meanwhile: the next connection reconciles.
        self._ready = self._broker.connected
        self._desk.wake()
        self._protection.sync_all()

    async def _take(self, event: BrokerEvent) -> None:
        match event:
            case FillUpdate(fill):
                if not self._fills.apply(fill) and not self._fills.known(fill.fill_id):
                    self._doubt.foreign(fill)
                    self._flag(
                        f"{fill.symbol}: {fill.side} {fill.quantity} of order"
                        f" {fill.client_order_id or fill.broker_order_id}, which is not ours"
                    )
            case OrderUpdate(order):
                self._truth.apply(order, asked=False)
            case AdjustmentUpdate():
                self._adjustments.apply(event)
            case ConnectionUpdate(connected, reason):
                self._ready = False
                if connected:
                    await self._return(reason)

    async def _return(self, reason: str) -> None:
        """Reconcile before anything else is sent; go on in a task while the broker is mute."""
        log.info("reconciling with the broker: %s", reason)
        try:
            await self._reconciler.run()
        except BrokerUnavailable as error:
            log.warning("the broker does not answer: %s", error)
            self._desk.spawn("reconcile again", self._again())
        else:
            self._open_for_orders()

    async def _again(self) -> None:
        wait = _PAUSE
        while self._running and not self._ready and self._broker.connected:
            await asyncio.sleep(wait)
            wait = min(2 * wait, 5.0)
            try:
                await self._reconciler.run()
            except BrokerUnavailable:
                continue
            self._open_for_orders()

    def _deny(self, ticket: Ticket, denials: tuple[Denial, ...]) -> Admitted:
        self._desk.add(ticket)
        limits = ", ".join(denial.limit for denial in denials)
        self._desk.close(
            ticket,
            OrderState.DENIED,
            limits,
            *self._admission.decisions(ticket, denials),
            self._admission.signal(ticket),
        )
        return Admitted(ticket.order_id, Verdict(denials))

    def _changed(self, ticket: Ticket) -> None:
        self._expiry.changed(ticket)
        self._protection.changed(ticket)

    def _flag(self, what: str) -> None:
        log.error("mismatch: %s", what)
        self._reconciler.flag(what)

    def _fault(self, what: str, error: BaseException) -> None:
        """Stop trading over an error that should not be: nothing is swallowed."""
        log.error("%s", what, exc_info=error)
        self._halt(f"{what}: {error}", author="shim")

    def _halt(self, reason: str, author: str = "reconciliation") -> None:
        """Halt the account, unless it is halted already; in force at once, journaled beside.

        As with every halt, entries that are out are taken back.
        """
        wall = self._desk.wall()
        current = self._states.of(Scope(), wall)
        if current is not None and current.state is TradingState.HALTED:
            return
        record = StateRecord(
            scope=Scope(), state=TradingState.HALTED, reason=reason, author=author, since=wall
        )
        self._states.set(record)
        asyncio.get_running_loop().call_soon(self._take_back, f"halted: {reason}")
        self._halted(record, TradingState.RUNNING if current is None else current.state)
        if self._desk.journal.failure is None:
            self._desk.write(
                journaled(record),
                AuditRow(actor=author, action="halt", subject="account", detail=reason, wall=wall),
            )

    def _take_back(self, reason: str) -> None:
        for ticket in self._desk.open():
            if ticket.purpose is Purpose.ENTRY:
                self._changes.cancel(ticket, reason)


def _unproven(ticket: Ticket) -> bool:
    """Tell whether it is not known what an order is, or when it can leave."""
    if not ticket.sent:
        return ticket.note == WAITING_ROOM
    return ticket.state is not OrderState.WORKING or ticket.ending is not None


def _in_flight(ticket: Ticket) -> bool:
    """Tell whether an answer of the broker decides an order now."""
    waits = ticket.note in (WAITING_APPROVAL, WAITING_ROOM)
    unproven = ticket.state in (OrderState.INTENT, OrderState.UNKNOWN) and not waits
    return unproven or ticket.cancel_asked
