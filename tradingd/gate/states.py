"""Trading states in force: what an operator or a trigger set, and what it lets leave.

Pure and clocked. Keeping the records (journal before effect) is the caller's; this only judges.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from tradingd.domain.journal import StateRow
from tradingd.domain.orders import Denial, OrderIntent, Purpose
from tradingd.domain.states import Scope, StateRecord, TradingState

_NO_INCREASES: Final = frozenset({TradingState.PAUSED, TradingState.FLAT})


class TradingStates:
    """The state of the account, of strategies and of symbols.

    Notes
    -----
    An order is under up to three states: its account's, its strategy's, its symbol's. The most
    restrictive one counts. Times are wall time, UTC ns, as in `StateRecord`.
    """

    def __init__(self, records: Iterable[StateRecord] = ()) -> None:
        self._records: dict[Scope, StateRecord] = {}
        for record in records:
            self.set(record)

    def restore(self, rows: Iterable[StateRow]) -> None:
        """Take the last journaled state of every scope, oldest first."""
        for row in rows:
            self.set(recorded(row))

    def set(self, record: StateRecord) -> None:
        """Put a state in force; RUNNING clears its scope."""
        if record.state is TradingState.RUNNING:
            self._records.pop(record.scope, None)
        else:
            self._records[record.scope] = record

    def clear(self, scope: Scope) -> None:
        """End the state of a scope."""
        self._records.pop(scope, None)

    def expire(self, now: int) -> list[StateRecord]:
        """Drop the states whose time is over; return them."""
        over = [record for record in self._records.values() if _over(record, now)]
        for record in over:
            del self._records[record.scope]
        return over

    def of(self, scope: Scope, now: int) -> StateRecord | None:
        """Return the state set for exactly this scope; None when it runs."""
        record = self._records.get(scope)
        return None if record is None or _over(record, now) else record

    def effective(self, strategy: str, symbol: str, now: int) -> StateRecord | None:
        """Return the most restrictive state an order would be under; None when all run."""
        scopes = (Scope(), Scope("strategy", strategy), Scope("symbol", symbol))
        found = [record for scope in scopes if (record := self.of(scope, now)) is not None]
        return max(found, key=lambda record: record.state.severity, default=None)

    def judge(self, intent: OrderIntent, increase: bool, now: int) -> Denial | None:
        """Return why an order may not leave, None when no state forbids it.

        `increase` is what the order does, not what it claims (`working.is_increase`). A protective
        stop that only reduces passes in every state, and so do shares of a corporate action.
        """
        if intent.purpose is Purpose.CORPORATE:
            return None
        record = self.effective(intent.strategy, intent.symbol, now)
        if record is None or _passes(record.state, intent.purpose, increase):
            return None
        return Denial(
            limit="state",
            observed=f"{record.scope} {record.state}",
            allowed=_allowed(record.state),
            explanation=f"{record.scope} is {record.state} by {record.author}: {record.reason}",
        )

    def snapshot(self) -> tuple[StateRecord, ...]:
        """Return every state in force, account first, then by scope."""
        return tuple(sorted(self._records.values(), key=_order))


def recorded(row: StateRow) -> StateRecord:
    """Return a journaled state as a record; an unknown scope or state is a ValueError."""
    return StateRecord(
        scope=msgspec.convert({"kind": row.scope, "name": row.name}, Scope),
        state=TradingState(row.state),
        reason=row.reason,
        author=row.author,
        since=row.since,
        expires=row.expires,
    )


def journaled(record: StateRecord) -> StateRow:
    """Return a record as the row that keeps it."""
    return StateRow(
        scope=record.scope.kind,
        name=record.scope.name,
        state=record.state.value,
        reason=record.reason,
        author=record.author,
        since=record.since,
        expires=record.expires,
    )


def _passes(state: TradingState, purpose: Purpose, increase: bool) -> bool:
    if purpose is Purpose.PROTECT and not increase:
        return True
    return state in _NO_INCREASES and not increase


def _allowed(state: TradingState) -> str:
    return "orders that reduce" if state in _NO_INCREASES else "cancels and protective stops"


def _over(record: StateRecord, now: int) -> bool:
    return record.expires is not None and record.expires <= now


def _order(record: StateRecord) -> tuple[bool, str, str]:
    scope = record.scope
    return (scope.kind != "account", scope.kind, scope.name)
