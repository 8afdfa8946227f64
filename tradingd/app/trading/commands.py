"""What an operator's verbs do: persist first, then act, then say what changed.

A state is written to the journal before it takes effect, so a crash between the two restarts in
the stricter of both.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from tradingd.app.trading.views import scope_of, scope_text
from tradingd.domain.journal import Journal
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.domain.trading import OrderShim
from tradingd.gate.states import TradingStates, journaled
from tradingd.kits.failure import ExitCode, Failure

type Changes = tuple[tuple[str, str, str], ...]


class StateKeeper:
    """Sets trading states: journaled and committed, then in force, then told.

    Parameters
    ----------
    states : TradingStates
        What the shim judges by.
    journal : Journal
        Where every change is kept.
    wall : Callable
        Wall time, UTC ns.
    changed : Callable
        Hears (record, text of the state before).
    """

    def __init__(
        self,
        states: TradingStates,
        journal: Journal,
        wall: Callable[[], int],
        changed: Callable[[StateRecord, str], None],
    ) -> None:
        self._states = states
        self._journal = journal
        self._wall = wall
        self._changed = changed

    def current(self, scope: Scope) -> TradingState:
        """Return the state set for exactly this scope; RUNNING where none is."""
        found = self._standing(scope)
        return TradingState.RUNNING if found is None else found.state

    def now(
        self, scope: Scope, state: TradingState, *, reason: str, author: str, minutes: int | None
    ) -> StateRecord:
        """Return the record of a state set at this moment."""
        since = self._wall()
        expires = None if minutes is None else since + minutes * 60 * NANOSECONDS
        return StateRecord(
            scope=scope, state=state, reason=reason, author=author, since=since, expires=expires
        )

    async def set(self, record: StateRecord) -> str:
        """Persist a state, put it in force and return the one before.

        A stricter state is in force even while it is being written: waiting for the disk must not
        let an order through. A looser one waits for the commit; when another state was set
        meanwhile (the kill switch), that one stands: its row is the later one, too.
        """
        before = self.current(record.scope)
        if record.state.severity > before.severity:
            self._states.set(record)
        standing = self._standing(record.scope)
        await self._journal.write(journaled(record))
        if self._standing(record.scope) is standing:
            self._states.set(record)
            self._changed(record, before)
        return before

    def set_soon(self, record: StateRecord) -> None:
        """Put a state in force at once and queue its row; for triggers, which cannot wait."""
        before = self.current(record.scope)
        self._states.set(record)
        self._journal.write(journaled(record))
        self._changed(record, before)

    def expire(self) -> Sequence[StateRecord]:
        """End states whose time is over; their end is journaled as RUNNING by the clock."""
        ended = self._states.expire(self._wall())
        for record in ended:
            running = self.now(
                record.scope,
                TradingState.RUNNING,
                reason=f"{record.state} expired",
                author="clock",
                minutes=None,
            )
            self._journal.write(journaled(running))
            self._changed(running, record.state)
        return ended

    def _standing(self, scope: Scope) -> StateRecord | None:
        found = [one for one in self._states.snapshot() if one.scope == scope]
        return found[0] if found else None


NOT_PROVEN = "not proven flat: "
"""Begins the reason of the halt that a failed flattening leaves."""


class Flattener:
    """Flattens a scope: FLATTENING, cancel, close, verify, then FLAT; HALTED where it failed."""

    def __init__(self, keeper: StateKeeper, shim: OrderShim) -> None:
        self._keeper = keeper
        self._shim = shim
        self._lock = asyncio.Lock()

    async def flatten(self, scope: Scope, *, reason: str, author: str, then: TradingState) -> bool:
        """Close everything in scope; True when the broker confirms that it is flat.

        `then` is the state afterwards; when flatness is not proven it is HALTED, whatever was
        asked. A halt that came meanwhile, or while this waited for another one, stays.
        """
        halted = self._keeper.current(scope) is TradingState.HALTED
        async with self._lock:
            if not halted and self._keeper.current(scope) is TradingState.HALTED:
                then = TradingState.HALTED
            await self._set(scope, TradingState.FLATTENING, reason, author)
            flat = await self._shim.flatten(scope, reason=reason, author=author)
            if self._keeper.current(scope) is not TradingState.FLATTENING:
                return flat
            if flat:
                await self._set(scope, then, reason, author)
            else:
                await self._set(scope, TradingState.HALTED, f"{NOT_PROVEN}{reason}", author)
            return flat

    async def _set(self, scope: Scope, state: TradingState, reason: str, author: str) -> None:
        record = self._keeper.now(scope, state, reason=reason, author=author, minutes=None)
        await self._keeper.set(record)


def known_scope(text: str, strategies: Sequence[str], symbols: Sequence[str]) -> Scope:
    """Return a scope, or refuse a name nobody knows: a typing error must not look like success."""
    scope = scope_of(text)
    known = {"account": [""], "strategy": strategies, "symbol": symbols}[scope.kind]
    if scope.name in known:
        return scope
    raise Failure(
        f"there is no such {scope.kind} here",
        code=ExitCode.REFUSED,
        where="scope",
        expected="one of " + ", ".join(known),
        found=scope_text(scope),
    )


async def timed[T](work: Awaitable[T]) -> tuple[T, float]:
    """Return a result and the seconds it took."""
    began = time.perf_counter()
    result = await work
    return result, time.perf_counter() - began
