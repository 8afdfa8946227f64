"""Trading states an operator or a trigger sets, for the account, a strategy or a symbol."""

from enum import StrEnum
from typing import Final, Literal

import msgspec

RECONCILIATION: Final = "reconciliation"
"""Author of a halt because journal and broker differ."""

MEND_STEP: Final = (
    "tradingd repair --dry-run shows what mends it; "
    "tradingctl adopt books what others traded, then tradingctl resume"
)
"""What a person does where journal and broker differ."""


class TradingState(StrEnum):
    """What may leave.

    RUNNING: everything the limits allow. PAUSED: no increases; exits and stops are managed.
    HALTED: cancels only, and protective stops of positions that are there. FLATTENING: as HALTED
    for strategies, while the daemon closes what is in scope. FLAT: flattened and verified; nothing
    is opened until somebody resumes.
    """

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    HALTED = "HALTED"
    FLATTENING = "FLATTENING"
    FLAT = "FLAT"

    @property
    def severity(self) -> int:
        """How strict the state is; of several that apply to one order the highest counts."""
        return _SEVERITY.index(self)


_SEVERITY: Final = (
    TradingState.RUNNING,
    TradingState.PAUSED,
    TradingState.FLAT,
    TradingState.FLATTENING,
    TradingState.HALTED,
)


class Scope(msgspec.Struct, frozen=True):
    """What a state applies to; `name` is empty for the account."""

    kind: Literal["account", "strategy", "symbol"] = "account"
    name: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind == "account" else f"{self.kind} {self.name}"


class StateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One state that was set: by whom, why, since when, until when (wall time, UTC ns)."""

    scope: Scope
    state: TradingState
    reason: str
    author: str
    since: int
    expires: int | None = None
