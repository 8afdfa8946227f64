"""What an operator asks for in one word: all cancelled; all closed and proven flat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import Broker, BrokerUnavailable
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.states import Scope
from tradingd.domain.trading import Step
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.naming import LegLetter
from tradingd.orders.protection import Protection
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_ROOM, Ticket

log = logging.getLogger(__name__)

_RETRY: Final = 0.25


class Flattening:
    """Cancels and closes what is in a scope, and waits for the broker's confirmation.

    Its exits pass every trading state and need no arming; they are cut like every exit, and wait
    like every exit until the protection of their shares has let go. In `shadow` mode what would
    have been sent is written down once, and only what is flat already is proven flat.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        *,
        changes: Changes,
        sender: Sender,
        protection: Protection,
        doubt: Doubt,
        ready: Callable[[], bool],
        reconcile: Callable[[], Awaitable[object]],
        settings: SupervisionConfig,
        shadow: bool = False,
    ) -> None:
        self.unconfirmed: tuple[str, ...] = ()
        self._desk = desk
        self._broker = broker
        self._changes = changes
        self._sender = sender
        self._protection = protection
        self._doubt = doubt
        self._ready = ready
        self._reconcile = reconcile
        self._settings = settings
        self._shadow = shadow

    async def cancel_all(self, scope: Scope, *, reason: str, author: str) -> list[str]:
        """Cancel all but protection; return the ids confirmed over within the grace period.

        `unconfirmed` names the others; their cancels are asked on until they are over.
        """
        tickets = [
            ticket
            for ticket in self._desk.open()
            if ticket.purpose is not Purpose.PROTECT and self._covers(scope, ticket)
        ]
        for ticket in tickets:
            self._changes.cancel(ticket, f"{reason} ({author})")
        grace = 0.0 if self._shadow else self._settings.stop_grace_seconds
        await self._desk.until(lambda: not any(ticket.open for ticket in tickets), grace)
        self.unconfirmed = tuple(ticket.order_id for ticket in tickets if ticket.open)
        if self.unconfirmed:
            log.warning("cancels not confirmed in %.0f s: %s", grace, ", ".join(self.unconfirmed))
        return [ticket.order_id for ticket in tickets if not ticket.open]

    async def flatten(self, scope: Scope, *, reason: str, author: str) -> bool:
        """Cancel, close at the market, and ask the broker; True when it says flat in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.stop_grace_seconds
        text = f"flatten: {reason} ({author})"
        for ticket in self._desk.open():
            resting = ticket.purpose is Purpose.ENTRY or ticket.rests
            if self._covers(scope, ticket) and resting and ticket.purpose is not Purpose.PROTECT:
                self._changes.cancel(ticket, text)
        if self._shadow:
            for symbol in self._held(scope):
                self._close(symbol, text)
            return await self._proven(scope)
        while loop.time() < deadline:
            for symbol in self._held(scope) if self._ready() else ():
                self._close(symbol, text)
            if self._busy(scope):
                await self._desk.until(lambda: not self._busy(scope), _RETRY)
            elif await self._proven(scope):
                return True
            else:
                await asyncio.sleep(_RETRY)
        self.unconfirmed = tuple(
            ticket.order_id for ticket in self._desk.open() if self._covers(scope, ticket)
        )
        log.warning("%s is not flat after %.0f s", scope, self._settings.stop_grace_seconds)
        return False

    # -- private ---------------------------------------------------------------------------------

    def _covers(self, scope: Scope, ticket: Ticket) -> bool:
        match scope.kind:
            case "account":
                return True
            case "strategy":
                return ticket.strategy == scope.name
            case "symbol":
                return ticket.symbol == scope.name

    def _held(self, scope: Scope) -> list[str]:
        """Return the symbols in scope with a position; a strategy's are those it opened."""
        found = []
        for symbol, line in self._desk.book.positions().items():
            owner = "" if line.trip is None else line.trip.strategy
            name = {"account": "", "strategy": owner, "symbol": symbol}[scope.kind]
            if name == scope.name:
                found.append(symbol)
        return found

    def _busy(self, scope: Scope) -> bool:
        """Tell whether anything in scope is held or still working."""
        return bool(self._held(scope)) or any(
            self._covers(scope, ticket) for ticket in self._desk.open()
        )

    def _close(self, symbol: str, reason: str) -> None:
        held = self._desk.held(symbol)
        shares = self._doubt.backed(symbol) - self._desk.leaving(symbol)
        if shares <= 0:
            return
        line = self._desk.book.position(symbol)
        owner = "" if line is None or line.trip is None else line.trip.strategy
        ticket = Ticket(
            order_id=self._desk.next_id(owner, LegLetter.FLATTEN),
            run_id=self._desk.run_id,
            strategy=owner,
            symbol=symbol,
            side=Side.SELL if held > 0 else Side.BUY,
            quantity=shares,
            type=OrderType.MARKET,
            purpose=Purpose.EXIT,
            reason=reason,
            ts=self._desk.clock.now(),
            wall=self._desk.wall(),
            touch=self._desk.mark(symbol),
            own=True,
        )
        self._desk.add(ticket)
        self._desk.book.order_opened(ticket.intent(self._desk.mark(symbol)))
        if not self._protection.room(ticket):
            ticket.note = WAITING_ROOM
        self._sender.send(ticket, self._desk.record(ticket, Step.INTENT, reason))

    async def _proven(self, scope: Scope) -> bool:
        """Ask the broker itself whether it holds or works anything in scope."""
        try:
            await self._reconcile()
            positions = await self._broker.positions()
            orders = await self._broker.open_orders()
        except BrokerUnavailable:
            return False
        if self._busy(scope):
            return False
        if scope.kind == "strategy":
            return not any(self._known(order.client_order_id, scope) for order in orders)
        left = [position.symbol for position in positions] + [order.symbol for order in orders]
        return not left if scope.kind == "account" else scope.name not in left

    def _known(self, order_id: str, scope: Scope) -> bool:
        ticket = self._desk.get(order_id)
        return ticket is not None and self._covers(scope, ticket)
