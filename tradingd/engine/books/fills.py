"""What an order meets in the book: displayed shares that nobody of us has taken yet.

=======================  ========================================================================
market, stop that acts   the other side's levels from the best on, each at its own price
limit, on arrival        those of them at its limit or better, each at its own price
limit that rests         what the other side shows at its limit or better, at its limit; and what
                         trades there once the queue that stood before it has traded or gone
=======================  ========================================================================

The queue is the engine's: a limit joins behind the shares displayed at its price, trades by the
other side's takers shorten what is ahead, and a level that shows less than that does too.
"""

from collections.abc import Callable
from typing import Any

from nautilus_trader.execution import FillModel
from nautilus_trader.model import BookOrder, BookType, OrderBook, OrderSide

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.engine.books.taken import Taken
from tradingd.engine.books.tape import BookTape
from tradingd.engine.books.view import NANOS
from tradingd.engine.faults import Faults
from tradingd.engine.ticket import Ticket
from tradingd.engine.units import price, shares

type Levels = list[tuple[int, int]]
"""(price in 1/10,000 dollar, shares) from the best."""


class BookFills(FillModel):
    """Gives the matching engine, for each order, the part of the book that is there for it."""

    def __new__(cls, *_args: object, **_kwargs: object) -> "BookFills":
        """Construct the engine's part, which takes no arguments."""
        made: BookFills = super().__new__(cls)
        return made

    def __init__(
        self,
        *,
        tape: BookTape,
        tickets: dict[str, Ticket],
        faults: Faults,
        now: Callable[[], int],
    ) -> None:
        self._tape = tape
        self._taken = Taken(tape)
        self._tickets = tickets
        self._faults = faults
        self._now = now
        self._shown: dict[str, Levels] = {}

    def is_limit_filled(self) -> bool:
        """Leave it to the queue whether a limit fills; no dice."""
        return True

    def is_slipped(self) -> bool:
        """Never add a tick: the levels are there."""
        return False

    def fill_limit_inside_spread(self) -> bool:
        """Let a limit between bid and ask wait for somebody to take it."""
        return False

    def get_orderbook_for_fill_simulation(
        self, instrument: Any, order: Any, best_bid: Any = None, best_ask: Any = None
    ) -> OrderBook | None:
        """Return what this order meets now; None leaves a resting limit to the queue."""
        book = OrderBook(instrument.id, BookType.L2_MBP)
        try:
            levels = self._met(self._tickets[order.client_order_id.value])
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._faults.record("fill model", self._now(), error, engine=True)
            return book
        if levels is None:
            return None
        against = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
        for number, (amount, size) in enumerate(levels, start=1):
            book.add(BookOrder(against, price(amount), shares(size), number), 0, 0, 0)
        return book

    def takeable(self, ticket: Ticket) -> Levels:
        """Return the levels that an order could take now."""
        levels = self._taken.left(ticket.symbol, _against(ticket.side), self._now())
        if ticket.limit is None:
            return levels
        sign, limit = ticket.side.sign, ticket.limit
        return [level for level in levels if (level[0] * NANOS - limit) * sign <= 0]

    def took(self, ticket: Ticket, quantity: int) -> None:
        """Use up what a fill took, from the best level that the order was shown."""
        shown = self._shown.get(ticket.engine_id, [])
        while quantity and shown:
            amount, size = shown[0]
            part = min(quantity, size)
            quantity -= part
            self._taken.take(ticket.symbol, _against(ticket.side), amount, part, self._now())
            if part == size:
                shown.pop(0)
            else:
                shown[0] = (amount, size - part)

    def chunk_done(self) -> None:
        """Look at the books in memory to their end; forget what closed orders were shown."""
        self._taken.settle()
        self._shown = {key: levels for key, levels in self._shown.items() if key in self._tickets}

    def _met(self, ticket: Ticket) -> list[tuple[Nanos, int]] | None:
        now = self._now()
        acts = ticket.stop is not None and not ticket.elected
        ticket.elected = ticket.elected or acts
        rests = ticket.limit is not None and not acts and 0 <= ticket.arrived < now
        if rests:
            assert ticket.limit is not None
            ticket.touch = ticket.limit
            if self._tape.traded(ticket.symbol, now):
                self._shown.pop(ticket.engine_id, None)
                return None
        levels = self.takeable(ticket)
        self._shown[ticket.engine_id] = list(levels)
        ticket.starved = not levels
        if not levels:
            return []
        if rests:
            assert ticket.limit is not None
            return [(ticket.limit, sum(size for _, size in levels))]
        ticket.touch = levels[0][0] * NANOS
        return [(amount * NANOS, size) for amount, size in levels]


def _against(side: Side) -> str:
    return "ask" if side is Side.BUY else "bid"
