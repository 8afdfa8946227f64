"""The desk of a run over books: orders go to the venue when there is something to meet them."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from tradingd.domain.orders import OrderType
from tradingd.engine.desk import Desk
from tradingd.engine.ticket import Stage, Ticket


class Meeting(Protocol):
    """Knows whether the book can meet an order."""

    def meets(self, ticket: Ticket) -> bool:
        """Tell whether an order can be placed now."""
        ...


class BookDesk(Desk):
    """Places an order when its symbol's book can meet it; until then it is in our hands.

    The engine rejects a market order that finds nothing, and takes a limit deeper than the
    recorded levels for the first in its queue. Both wait here instead: for something to take, and
    for the limit's price to come into view, where it joins the end of the queue.
    """

    meeting: Meeting

    def place(self, ticket: Ticket) -> None:
        """Submit the order, or keep it until a book can meet it."""
        if self.meeting.meets(ticket):
            super().place(ticket)
            return
        ticket.stage = Stage.CONTINUING
        ticket.arrived = self.now()
        self.wire.next_bar(ticket.symbol, lambda: self.arrive(ticket))

    def go_on(self, ticket: Ticket, resume: Callable[[], None]) -> None:
        """Take the rest back once the fills of this instant, one per level, are all in."""
        engine_id = ticket.engine_id

        def rest() -> None:
            if ticket.stage is Stage.WORKING and ticket.engine_id == engine_id:
                self.recall(ticket)
                resume()

        self.wire.soon(rest)

    def rejoin(self, symbol: str) -> None:
        """Take a symbol's resting limits back: its book is gone, and their places with it."""
        for ticket in self.open_tickets(symbol):
            if ticket.stage is Stage.WORKING and ticket.type is OrderType.LIMIT:
                self.recall(ticket)
                self.wire.next_bar(symbol, partial(self.arrive, ticket))
