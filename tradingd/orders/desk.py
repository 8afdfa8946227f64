"""The orders this process knows, and the one place where a step is journaled and told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Final

from tradingd.domain.journal import Journal, OrderEventRow, OrderState, Record
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill
from tradingd.domain.trading import Listener, OrderEvent, Step
from tradingd.gate.book import Book
from tradingd.orders import naming
from tradingd.orders.naming import LegLetter
from tradingd.orders.ticket import Ticket
from tradingd.session.clock import SessionClock

log = logging.getLogger(__name__)

ENDS: Final = {
    OrderState.FILLED: Step.REPLACED,  # its fills are told already: it was cut to what is filled
    OrderState.CANCELED: Step.CANCELED,
    OrderState.EXPIRED: Step.EXPIRED,
    OrderState.REJECTED: Step.REJECTED,
    OrderState.DENIED: Step.DENIED,
    OrderState.LOST: Step.LOST,
    OrderState.SHADOW: Step.WOULD_HAVE,
}
"""The step that tells each final state; an order that is filled ends with its last FILL."""

KEPT_CLOSED: Final = 1_000
"""Orders that are over and still remembered, for fills that come late."""


class Desk:
    """Registry of tickets; writes every step to the journal and tells the listeners.

    Parameters
    ----------
    instance, run_id : str
        Part of every order id, and of every row.
    journal, book, clock : Journal, Book, SessionClock
        Where steps go, what orders claim, data time.
    wall : Callable
        Time of day, UTC ns.
    first_seq : int
        First running number of this process.
    """

    def __init__(
        self,
        *,
        instance: str,
        run_id: str,
        journal: Journal,
        book: Book,
        clock: SessionClock,
        wall: Callable[[], int],
        first_seq: int,
    ) -> None:
        self.run_id = run_id
        self.journal = journal
        self.book = book
        self.clock = clock
        self.wall = wall
        self.changed: Callable[[Ticket], None] = lambda _ticket: None
        self.revived: Callable[[Ticket], None] = lambda _ticket: None
        self.fault: Callable[[str, BaseException], None] = _log_fault
        self._seq = first_seq
        self._unwritten = False
        self._instance = instance
        self._run = naming.run_part(f"{run_id} {wall()}")
        self._tickets: dict[str, Ticket] = {}
        self._open: dict[str, Ticket] = {}
        self._by_symbol: dict[str, dict[str, Ticket]] = {}
        self._listeners: list[Listener] = []
        self._waiting: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- ids -------------------------------------------------------------------------------------

    def next_id(self, strategy: str = "", leg: LegLetter = LegLetter.ORDER) -> str:
        """Return an order id that no process of the instance has used; `naming` has its form.

        The run's part comes from the run id and the time, so that ids stay unique when a journal
        is lost and the runs are counted anew.
        """
        self._seq += 1
        return naming.order_id(self._instance, strategy, leg, self._run, self._seq - 1)

    def ours(self, client_order_id: str) -> bool:
        """Tell whether an order id has the form of this instance's."""
        return naming.ours(self._instance, client_order_id)

    def sender(self, client_order_id: str, strategies: Iterable[str]) -> tuple[str, LegLetter]:
        """Return strategy and leg of an order of ours, by its id alone.

        The strategy is empty where the id does not name one.
        """
        name = naming.parse(client_order_id)
        if name is None:
            return "", LegLetter.ORDER
        return naming.resolved(self._instance, name, strategies), name.leg

    # -- registry --------------------------------------------------------------------------------

    def get(self, order_id: str) -> Ticket | None:
        """Return an order of this process, or one that was recovered."""
        return self._tickets.get(order_id)

    def open(self, symbol: str | None = None) -> list[Ticket]:
        """Return the orders that are not over, of one symbol or all, oldest first."""
        found = self._open if symbol is None else self._by_symbol.get(symbol, {})
        return list(found.values())

    def known(self) -> list[Ticket]:
        """Return every order that is remembered, oldest first."""
        return list(self._tickets.values())

    def symbols(self) -> set[str]:
        """Return the symbols with an order that is not over."""
        return {symbol for symbol, tickets in self._by_symbol.items() if tickets}

    def add(self, ticket: Ticket) -> None:
        """Follow an order from now on."""
        self._tickets[ticket.order_id] = ticket
        if ticket.open:
            self._reopened(ticket)

    def leaving(self, symbol: str) -> int:
        """Return the shares of a symbol that market exits are taking out."""
        return sum(ticket.leaving for ticket in self.open(symbol))

    def claimed(self, symbol: str) -> int:
        """Return those of them that protection has to let go of: their intent is on disk.

        An exit that the journal does not take is never sent; its shares stay protected.
        """
        return sum(ticket.leaving for ticket in self.open(symbol) if ticket.on_disk)

    def held(self, symbol: str) -> int:
        """Return the signed shares held."""
        line = self.book.position(symbol)
        return 0 if line is None else line.quantity

    def mark(self, symbol: str) -> Nanos:
        """Return the last price of a symbol, 0 before the first."""
        line = self.book.line(symbol)
        return 0 if line is None else line.mark

    # -- steps -----------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Hear every step from now on."""
        self._listeners.append(listener)

    def record(
        self,
        ticket: Ticket,
        step: Step,
        detail: str = "",
        *more: Record,
        fill: Fill | None = None,
        fill_id: str = "",
    ) -> Awaitable[None]:
        """Journal an order's row, its step and `more` in one transaction, then tell everybody."""
        wall = self.wall()
        row = ticket.row()
        event = OrderEventRow(
            order_id=ticket.order_id, step=step.value, detail=detail, ts=self.clock.now(), wall=wall
        )
        committed = self.write(*more, row, event)
        told = OrderEvent(
            step=step, order=row, detail=detail, fill=fill, fill_id=fill_id, wall=wall
        )
        for listener in self._listeners:
            try:
                listener(told)
            except Exception as error:  # noqa: BLE001 - a listener's bug must not stop the order
                self.fault(f"a listener of order steps failed at {step}", error)
        self.changed(ticket)
        self._wake()
        return committed

    def close(self, ticket: Ticket, state: OrderState, note: str, *more: Record) -> Awaitable[None]:
        """Give an order its final state; what it claimed in the book is released."""
        ticket.state = state
        ticket.note = note
        ticket.closed_wall = self.wall()
        ticket.ending = None
        self.settled(ticket)
        return self.record(ticket, ENDS[state], note, *more)

    def settled(self, ticket: Ticket) -> None:
        """Take an order that is over out of the open ones."""
        self._open.pop(ticket.order_id, None)
        self._by_symbol.get(ticket.symbol, {}).pop(ticket.order_id, None)
        self.book.order_closed(ticket.order_id)
        self._prune()

    def revive(self, ticket: Ticket, why: str) -> None:
        """Take up an order again that was thought to be over.

        Whoever asked for its cancel was told that it is over: `revived` asks for it again.
        """
        ticket.state = OrderState.WORKING
        ticket.note = ""
        ticket.closed_wall = None
        self._reopened(ticket)
        if ticket.leaves:
            self.book.order_opened(ticket.intent(self.mark(ticket.symbol)))
        self.record(ticket, Step.RECOVERED, why)
        self.revived(ticket)

    def write(self, *records: Record) -> Awaitable[None]:
        """Queue records as one transaction; a failure reaches `fault` even if nobody waits."""
        committed = asyncio.ensure_future(self.journal.write(*records))
        committed.add_done_callback(self._written)
        return committed

    # -- waiting and tasks -----------------------------------------------------------------------

    async def until(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait for a condition that steps of orders bring about; False when time is up."""
        loop = asyncio.get_running_loop()
        deadline = None if seconds is None else loop.time() + seconds
        while not done():
            pulse: asyncio.Future[None] = loop.create_future()
            self._waiting.add(pulse)
            rest = None if deadline is None else deadline - loop.time()
            try:
                async with asyncio.timeout(rest):
                    await pulse
            except TimeoutError:
                return done()
            finally:
                self._waiting.discard(pulse)
        return True

    def _wake(self) -> None:
        for pulse in self._waiting:
            if not pulse.done():
                pulse.set_result(None)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._wake()

    def spawn(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a named task to its end; an error in it reaches `fault`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """End every task; orders stay where they are."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- private ---------------------------------------------------------------------------------

    def _reopened(self, ticket: Ticket) -> None:
        self._open[ticket.order_id] = ticket
        self._by_symbol.setdefault(ticket.symbol, {})[ticket.order_id] = ticket

    def _prune(self) -> None:
        if len(self._tickets) - len(self._open) <= 2 * KEPT_CLOSED:
            return
        over = [key for key, ticket in self._tickets.items() if not ticket.open]
        for key in over[:-KEPT_CLOSED]:
            del self._tickets[key]

    def _written(self, committed: asyncio.Future[None]) -> None:
        if committed.cancelled() or (error := committed.exception()) is None:
            return
        if not self._unwritten:
            # Every later write fails the same way; one of them is told.
            self._unwritten = True
            self.fault("the journal did not take a record", error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fault(f"task {task.get_name()} failed", error)


def _log_fault(what: str, error: BaseException) -> None:
    log.error("%s", what, exc_info=error)
