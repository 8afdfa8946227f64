"""Judge rows before they are stored: the rules of the store's own check, with what lies around.

A candidate is seen together with stored rows before and after it, so that a jump at the seam, or
a price that has been standing still since before, is found. What the stored rows alone already
show is not held against it.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Final, Self

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from tradingd.domain.market import CorporateAction, DataKind, Resolution, Session
from tradingd.history.layout import times
from tradingd.kits.scratch import scratch
from tradingd.quality.catalog import Rule, rules_for
from tradingd.quality.report import Finding, Severity
from tradingd.quality.tables import bound_memory, load_events, load_rows, load_sessions
from tradingd.quality.thresholds import Thresholds
from tradingd.session.calendar import SessionCalendar

COVERAGE: Final = "coverage"
"""Rule of this module: sessions that were asked for and have no rows."""

# A run of equal closes is known by where it began, which may be before the candidate.
_GROWING: Final = "stale"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Bars that might be stored, in the store's schema, for the sessions that were asked for.

    `context` holds stored bars outside of those sessions, in time order.
    """

    symbol: str
    resolution: Resolution
    rows: pa.Table
    context: pa.Table
    sessions: Sequence[Session]
    actions: Sequence[CorporateAction] = ()


class Judge:
    """Runs the bar rules over candidates; a context manager that owns one DuckDB connection."""

    def __init__(self, calendar: SessionCalendar, thresholds: Thresholds | None = None) -> None:
        self._calendar = calendar
        self._limits = thresholds or Thresholds()

    def __enter__(self) -> Self:
        self._spill = scratch("judge")
        folder = self._spill.__enter__()
        self._connection = duckdb.connect()
        bound_memory(self._connection, folder)
        load_sessions(self._connection, self._calendar)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._spill.__exit__(kind, error, trace)

    def findings(self, candidate: Candidate, *, min_coverage: float = 100.0) -> list[Finding]:
        """Return what is wrong with a candidate, by time.

        Parameters
        ----------
        min_coverage : float
            Percent of the asked sessions that must have rows.
        """
        load_events(self._connection, candidate.actions, frozenset())
        known = {_key(one) for one in self._run(candidate, candidate.context)}
        seen = self._run(candidate, pa.concat_tables([candidate.context, candidate.rows]))
        start, end = candidate.sessions[0].open_ns, candidate.sessions[-1].close_ns
        counted = [
            one
            for one in seen
            if _key(one) not in known
            and (one.rule == _GROWING or one.ts >= start)
            and (one.rule != "missing_session" or start <= one.ts <= end)
        ]
        counted += _uncovered(candidate, min_coverage)
        return sorted(counted, key=lambda one: (one.ts, one.rule))

    def _run(self, candidate: Candidate, rows: pa.Table) -> list[Finding]:
        if not rows.num_rows:
            return []
        named = rows.append_column("symbol", pa.array([candidate.symbol] * len(rows)))
        named = named.append_column("resolution", pa.array([str(candidate.resolution)] * len(rows)))
        self._connection.register("candidate", named)
        load_rows(
            self._connection, "candidate", DataKind.BARS, candidate.resolution, [candidate.symbol]
        )
        rules = rules_for(DataKind.BARS, candidate.resolution, self._limits)
        found = [one for rule in rules for one in self._found(rule, candidate)]
        # Only now: an answer that is not read to its end keeps the connection busy.
        self._connection.unregister("candidate")
        return found

    def _found(self, rule: Rule, candidate: Candidate) -> Iterable[Finding]:
        query = f"select ts, detail from ({rule.query}) order by ts"
        for ts, detail in self._connection.execute(query).fetchall():
            yield _finding(candidate, ts, rule.name, rule.severity, detail)


def _key(one: Finding) -> tuple[str, int, str]:
    return one.rule, one.ts, one.detail if one.rule == _GROWING else ""


def _uncovered(candidate: Candidate, min_coverage: float) -> list[Finding]:
    """Find asked sessions without rows, at the ends too, where no rule can see them."""
    stamps = times(candidate.rows)
    opens = np.array([one.open_ns for one in candidate.sessions], dtype=np.int64)
    closes = np.array([one.close_ns for one in candidate.sessions], dtype=np.int64)
    low = np.searchsorted(stamps, opens, side="right")
    high = np.searchsorted(stamps, closes, side="right")
    empty = np.flatnonzero(high == low)
    asked = len(candidate.sessions)
    if not len(empty) or (asked - len(empty)) * 100.0 >= min_coverage * asked:
        return []
    first = candidate.sessions[int(empty[0])]
    detail = f"{len(empty)} of {asked} sessions without bars, the first {first.day}"
    return [_finding(candidate, first.close_ns, COVERAGE, Severity.WARNING, detail)]


def _finding(candidate: Candidate, ts: int, rule: str, severity: Severity, detail: str) -> Finding:
    return Finding(
        symbol=candidate.symbol,
        kind=DataKind.BARS,
        resolution=candidate.resolution,
        ts=ts,
        rule=rule,
        severity=severity,
        detail=detail,
    )
