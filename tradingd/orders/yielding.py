"""Entries that are taken back so that a stop can stand, or an exit leave."""

import asyncio
from collections.abc import Callable

from tradingd.domain.orders import Purpose
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.guard import Action, Leg, Place
from tradingd.orders.opposing import Opposing
from tradingd.orders.ticket import Ticket


class Yielding:
    """Takes entries back, and says what has to wait for that.

    Parameters
    ----------
    desk, opposing, changes : Desk, Opposing, Changes
        Parts of the same shim.
    bare : Callable
        Tells whether the broker refused the stop of a symbol's position, and none works.
    sync : Callable
        Looks at a symbol again.
    """

    def __init__(
        self,
        desk: Desk,
        opposing: Opposing,
        changes: Changes,
        *,
        bare: Callable[[str], bool],
        sync: Callable[[str], None],
    ) -> None:
        self._desk = desk
        self._opposing = opposing
        self._changes = changes
        self._bare = bare
        self._sync = sync
        self._under_way = False
        self._waits = 0.0

    def look(self, symbol: str) -> None:
        """Take back what is in the way; one at the market is left for a moment.

        Where the stop of a position was refused, whatever the broker's reason was, every entry
        that would enlarge it is taken back: it must not grow without one.
        """
        if self._bare(symbol):
            for entry in self._growing(symbol):
                self._changes.cancel(entry, f"the stop of {symbol} was refused")
        entries = self._opposing.yielding(symbol)
        for entry in entries:
            spared = self._opposing.spared(entry)
            if spared:
                self._later(symbol, spared)
            elif not entry.cancel_asked:
                self._changes.cancel(entry, f"gives way to the stop and the exits of {symbol}")
        self._under_way = any(entry.open for entry in entries)
        self._waits = self._opposing.awaited(symbol)

    def postpones(self, symbol: str, action: Action) -> bool:
        """Tell whether an action is for later, as the broker would refuse it now.

        A stop that works stays as it is until the entry has gone: a refused change would cost it.
        """
        if not isinstance(action, Place):
            reduces = action.ticket.side.sign * self._desk.held(symbol) < 0
            return self._under_way and reduces
        if action.leg is Leg.CLOSE or not self._waits:
            return False
        self._later(symbol, self._waits)
        return True

    # -- private ---------------------------------------------------------------------------------

    def _growing(self, symbol: str) -> list[Ticket]:
        held = self._desk.held(symbol)
        return [
            ticket
            for ticket in self._desk.open(symbol)
            if ticket.purpose is Purpose.ENTRY
            and ticket.side.sign * held > 0
            and not ticket.cancel_asked
        ]

    def _later(self, symbol: str, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._sync, symbol)
