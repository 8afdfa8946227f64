"""When the shim itself halts the account: what differs, and errors that should not be."""

import asyncio
import logging
from collections.abc import Callable

from tradingd.domain.journal import AuditRow
from tradingd.domain.orders import Purpose
from tradingd.domain.states import RECONCILIATION, Scope, StateRecord, TradingState
from tradingd.gate.states import TradingStates, journaled
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk

log = logging.getLogger(__name__)


class Halt:
    """Halts the account; in force at once, journaled beside.

    Parameters
    ----------
    desk, changes : Desk, Changes
        Parts of the same shim.
    states : TradingStates
        The trading states.
    told : Callable
        Hears (record, state before).
    """

    def __init__(
        self,
        desk: Desk,
        changes: Changes,
        states: TradingStates,
        told: Callable[[StateRecord, str], None],
    ) -> None:
        self._desk = desk
        self._changes = changes
        self._states = states
        self._told = told

    def fault(self, what: str, error: BaseException) -> None:
        """Stop trading over an error that should not be: nothing is swallowed."""
        log.error("%s", what, exc_info=error)
        self.halt(f"{what}: {error}", author="shim")

    def halt(self, reason: str, author: str = RECONCILIATION) -> None:
        """Halt the account, unless it is halted already; entries that are out are taken back."""
        wall = self._desk.wall()
        current = self._states.of(Scope(), wall)
        if current is not None and current.state is TradingState.HALTED:
            return
        record = StateRecord(
            scope=Scope(), state=TradingState.HALTED, reason=reason, author=author, since=wall
        )
        self._states.set(record)
        asyncio.get_running_loop().call_soon(self._take_back, f"halted: {reason}")
        self._told(record, TradingState.RUNNING if current is None else current.state)
        if self._desk.journal.failure is None:
            self._desk.write(
                journaled(record),
                AuditRow(actor=author, action="halt", subject="account", detail=reason, wall=wall),
            )

    def _take_back(self, reason: str) -> None:
        for ticket in self._desk.open():
            if ticket.purpose is Purpose.ENTRY:
                self._changes.cancel(ticket, reason)
