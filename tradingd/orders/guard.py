"""What protection a position needs, worked out without side effects.

A guarded position has one stop and at most one target, each for all shares that no market exit is
taking out. Both are real orders: whichever fills first, the other is cut or cancelled. Where a
broker lets no two exits rest over the same shares ("apart"), the stop alone is an order.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from tradingd.domain.journal import GuardRow, OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.orders.naming import LegLetter
from tradingd.orders.ticket import Ticket


class Leg(StrEnum):
    """Kinds of protective orders; CLOSE sells what nobody meant to hold, at the market."""

    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"

    @property
    def letter(self) -> LegLetter:
        """How the ids of its orders name it."""
        return LegLetter(self.value[0].upper())


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The protection of one symbol's position.

    Without any price the position is a stray: it came from an exit that filled twice (a stop and
    its target in the same moment), nobody wants it, and it is closed.
    """

    symbol: str
    strategy: str
    parent_id: str
    reason: str
    stop: Nanos | None = None
    take_profit: Nanos | None = None

    @property
    def stray(self) -> bool:
        """True when the position is to be closed instead of guarded."""
        return self.stop is None and self.take_profit is None

    def price(self, leg: Leg) -> Nanos | None:
        """Return the price of one leg."""
        return self.stop if leg is Leg.STOP else self.take_profit

    def row(
        self, ts: int, *, stop_id: str = "", target_id: str = "", active: bool = True
    ) -> GuardRow:
        """Return the guard as the journal keeps it."""
        return GuardRow(
            symbol=self.symbol,
            strategy=self.strategy,
            stop=self.stop,
            take_profit=self.take_profit,
            parent_id=self.parent_id,
            stop_order_id=stop_id,
            target_order_id=target_id,
            active=active,
            ts=ts,
        )


class Place(msgspec.Struct, frozen=True):
    """Send a new protective order."""

    leg: Leg
    side: Side
    quantity: int
    price: Nanos | None


class Change(msgspec.Struct, frozen=True):
    """Give a working order a new total and price."""

    ticket: Ticket
    quantity: int
    limit: Nanos | None
    stop: Nanos | None


class Cancel(msgspec.Struct, frozen=True):
    """Take an order back."""

    ticket: Ticket
    why: str


type Action = Place | Change | Cancel


def leg_of(ticket: Ticket) -> Leg | None:
    """Return which leg an order is; None for what is no protective order."""
    if ticket.purpose is not Purpose.PROTECT:
        return None
    if ticket.type is OrderType.MARKET:
        return Leg.CLOSE
    return Leg.STOP if ticket.stop is not None else Leg.TARGET


def plan(
    held: int,
    leaving: int,
    guard: Guard | None,
    resting: Sequence[Ticket],
    *,
    apart: bool = False,
) -> list[Action]:
    """Return what brings the resting orders of a symbol in step with its position.

    Parameters
    ----------
    held : int
        Signed shares.
    leaving : int
        Shares that market exits are taking out.
    guard : Guard or None
        What is wanted.
    resting : Sequence[Ticket]
        Open stops, targets and resting exits of the symbol, oldest first; `apart` entries against
        the position, too.
    apart : bool
        No two of them may be over the same shares: the guard's stop goes before everything else,
        and leaves when nothing else rests.

    Notes
    -----
    Orders whose outcome is open, or that are being changed, are left until that is known; each
    step of an order leads to a new plan.
    """
    cover = max(0, abs(held) - leaving)
    side = Side.SELL if held > 0 else Side.BUY
    working = (_Apart if apart else _Working)(cover, side, guard, resting)
    actions = [action for ticket in resting if (action := working.judge(ticket)) is not None]
    if guard is None or not cover:
        return actions
    if guard.stray:
        return [*actions, Place(Leg.CLOSE, side, cover, None)]
    for leg in working.legs:
        price = guard.price(leg)
        if price is not None and working.free(leg):
            actions.append(Place(leg, side, cover, price))
    return actions


class _Working:
    """Judges the resting orders one after the other; remembers which legs are there."""

    legs: tuple[Leg, ...] = (Leg.STOP, Leg.TARGET)

    def __init__(
        self, cover: int, side: Side, guard: Guard | None, resting: Sequence[Ticket]
    ) -> None:
        self.taken: set[Leg] = set()
        self._cover = cover
        self._side = side
        self._guard = guard
        self._triggered = any(
            leg_of(ticket) is Leg.STOP and ticket.filled and ticket.side is side
            for ticket in resting
        )

    def obsolete(self, leg: Leg) -> bool:
        """Tell whether a leg has no use any more: a target whose stop has begun to fill."""
        return leg is Leg.TARGET and self._triggered

    def free(self, leg: Leg) -> bool:
        """Tell whether a leg can be placed now."""
        return leg not in self.taken and not self.obsolete(leg)

    def judge(self, ticket: Ticket) -> Action | None:
        leg = leg_of(ticket)
        if ticket.cancel_asked:
            # It may still fill: no second order of its kind before it is gone.
            if leg is not None and ticket.side is self._side:
                self.taken.add(leg)
            return None
        why = self._unwanted(ticket, leg)
        if why:
            if leg is not None and ticket.side is self._side:
                self.taken.add(leg)
            return Cancel(ticket, why)
        if leg is not None:
            self.taken.add(leg)
        if ticket.state is not OrderState.WORKING or ticket.busy:
            return None
        return self._fitted(ticket, leg)

    def _unwanted(self, ticket: Ticket, leg: Leg | None) -> str:
        if not self._cover:
            return "nothing left to guard"
        if ticket.side is not self._side:
            return "the position has turned"
        if leg is None:
            return ""
        if self._guard is None or self._guard.price(leg) is None:
            return "not wanted any more"
        if leg in self.taken:
            return "there is one already"
        return "its stop is filling" if self.obsolete(leg) else ""

    def _fitted(self, ticket: Ticket, leg: Leg | None) -> Action | None:
        total = ticket.filled + self._cover
        if leg is None:
            # A strategy's own resting exit keeps its size until there is less to sell.
            total, limit, stop = min(total, ticket.quantity), ticket.limit, ticket.stop
        else:
            assert self._guard is not None
            price = self._guard.price(leg)
            limit, stop = (None, price) if leg is Leg.STOP else (price, None)
        if (total, limit, stop) == (ticket.quantity, ticket.limit, ticket.stop):
            return None
        if ticket.stubborn:
            return Cancel(ticket, "the broker does not change it")
        return Change(ticket, total, limit, stop)


class _Apart(_Working):
    """The same where two exits never rest over the same shares."""

    legs = (Leg.STOP,)

    def __init__(
        self, cover: int, side: Side, guard: Guard | None, resting: Sequence[Ticket]
    ) -> None:
        super().__init__(cover, side, guard, resting)
        self._free = cover
        self._blocked = any(
            ticket.side is side and not ticket.watched and leg_of(ticket) is not Leg.STOP
            for ticket in resting
        )

    def free(self, leg: Leg) -> bool:
        """Tell whether a leg can be placed now: nobody else holds its shares still."""
        return not self._blocked and super().free(leg)

    def _unwanted(self, ticket: Ticket, leg: Leg | None) -> str:
        guarded = self._guard is not None and self._guard.stop is not None
        if leg is Leg.TARGET:
            return "its price is watched here"
        if ticket.purpose is Purpose.ENTRY or (leg is None and not ticket.watched):
            against = ticket.side is self._side and self._cover
            if against and guarded:
                return "the stop needs its shares"
            if ticket.purpose is Purpose.ENTRY:
                return ""
        return super()._unwanted(ticket, leg)

    def _fitted(self, ticket: Ticket, leg: Leg | None) -> Action | None:
        if ticket.purpose is Purpose.ENTRY:
            return None
        if leg is not None:
            wanted = super()._fitted(ticket, leg)
            more = isinstance(wanted, Change) and wanted.quantity > ticket.quantity
            return None if more and self._blocked else wanted
        # Each of a strategy's stops has shares of its own.
        shares = min(ticket.leaves, self._free)
        self._free -= shares
        if not shares:
            return Cancel(ticket, "its shares are leaving")
        if shares == ticket.leaves:
            return None
        if ticket.stubborn:
            return Cancel(ticket, "the broker does not change it")
        return Change(ticket, ticket.filled + shares, ticket.limit, ticket.stop)
