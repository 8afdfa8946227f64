"""What a sync says it did."""

import datetime as dt
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How one range ended."""

    STORED = "stored"
    """The rows passed every check."""
    CONFIRMED = "confirmed"
    """Something looked odd, and a second source shows the same."""
    FLAGGED = "flagged"
    """No source passed; the best was stored because `sync.none_clean` says so."""
    REFUSED = "refused"
    """No source passed; nothing was stored."""
    FAILED = "failed"
    """No source gave an answer."""
    EMPTY = "empty"
    """The sources that answered have no bars of these days."""
    UNKNOWN = "unknown"
    """No source has bars, and at least one says that it does not know the symbol."""
    PLANNED = "planned"
    """A dry run: nothing was asked."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What one source answered to one range; `why` is empty for clean rows."""

    source: str
    answer: str
    rows: int = 0
    why: str = ""


class RangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol and run of sessions: how it ended, and through whom.

    `attempts` are in the order they were made; `rows_*` count what the store did.
    """

    symbol: str
    first: dt.date
    last: dt.date
    sessions: int
    outcome: Outcome
    source: str = ""
    rows_new: int = 0
    rows_same: int = 0
    rows_revised: int = 0
    attempts: tuple[Attempt, ...] = ()

    @property
    def why(self) -> str:
        """Why each source that was passed over was, in one line."""
        return "; ".join(f"{one.source}: {one.why}" for one in self.attempts if one.why)


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync did; `exit_code` is 0 when nothing was left open.

    `by_source` counts the ranges each source filled; `actions_missing` names symbols whose
    splits and dividends no source could tell.
    """

    exit_code: int
    dry_run: bool
    resolution: str
    first: dt.date
    last: dt.date
    sources: tuple[str, ...]
    symbols: int
    complete: int
    ranges: tuple[RangeReport, ...] = ()
    outcomes: dict[str, int] = {}
    by_source: dict[str, int] = {}
    rows_new: int = 0
    rows_same: int = 0
    rows_revised: int = 0
    actions: int = 0
    actions_missing: tuple[str, ...] = ()
    put_aside: dict[str, str] = {}
    seconds: float = 0.0
