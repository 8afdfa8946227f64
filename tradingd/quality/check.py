"""Run the rules over the store."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Final

import duckdb
import msgspec

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.kits.scratch import scratch
from tradingd.quality.catalog import Rule, rules_for
from tradingd.quality.report import Finding, Report, Severity
from tradingd.quality.tables import bound_memory, load_events, load_rows, load_sessions
from tradingd.quality.thresholds import Thresholds
from tradingd.session.calendar import SessionCalendar

FINDINGS_SHOWN: Final = 20
"""Findings kept per rule and symbol; the rest is only counted."""

# Series checked together: enough to keep DuckDB busy, few enough to stay small.
_TOGETHER: Final = {Resolution.DAY: 100, Resolution.HOUR: 20, Resolution.MINUTE: 2}


class Slice(msgspec.Struct, frozen=True):
    """Series that are checked in one go."""

    kind: DataKind
    resolution: Resolution | None
    symbols: tuple[str, ...]


def check(
    store: Store,
    calendar: SessionCalendar,
    *,
    symbols: Sequence[str] = (),
    thresholds: Thresholds | None = None,
    strict: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Report:
    """Check bars, quotes and trades of the store; `symbols` empty means all.

    Parameters
    ----------
    strict : bool
        Turn findings of severity error into a failure.
    advance : callable
        Told how many series were checked, as they are (for progress).

    Raises
    ------
    Failure
        NO_DATA when the store is empty, UNKNOWN_SYMBOL, or QUALITY when `strict` and there are
        errors.
    """
    slices = list(slices_of(store, symbols))
    if not slices:
        raise _nothing_to_check(store)
    with scratch("check") as spill, store.connect() as connection:
        bound_memory(connection, spill)
        load_sessions(connection, calendar)
        load_events(connection, store.actions(), _adjusted_by_source(store))
        tally = Tally()
        for one in slices:
            _check_slice(connection, one, thresholds or Thresholds(), tally)
            advance(len(one.symbols))
    report = tally.report()
    if strict and report.errors:
        raise refusal(report)
    return report


def slices_of(store: Store, symbols: Sequence[str] = ()) -> Iterator[Slice]:
    """Yield what there is to check, a few series at a time."""
    kinds: list[tuple[DataKind, Resolution | None]] = [
        *((DataKind.BARS, resolution) for resolution in Resolution),
        (DataKind.QUOTES, None),
        (DataKind.TRADES, None),
    ]
    stored = {place: store.symbols(*place) for place in kinds}
    _require_stored(symbols, {one for found in stored.values() for one in found})
    for (kind, resolution), found in stored.items():
        wanted = [one for one in found if not symbols or one in symbols]
        for some in batched(wanted, _together(resolution), strict=False):
            yield Slice(kind, resolution, some)


def _together(resolution: Resolution | None) -> int:
    return 1 if resolution is None else _TOGETHER.get(resolution, 1)


def _require_stored(symbols: Sequence[str], stored: set[str]) -> None:
    for symbol in symbols:
        if symbol not in stored:
            close = nearest(symbol, stored)
            raise Failure(
                f"unknown symbol {symbol!r}",
                code=ExitCode.UNKNOWN_SYMBOL,
                expected=f"one of {len(stored)} stored symbols",
                found=symbol,
                next_step=f"did you mean {close}?" if close else "",
            )


class Tally:
    """Findings so far: all counted, some kept."""

    def __init__(self) -> None:
        self.rows = 0
        self.series = 0
        self._counts: Counter[str] = Counter()
        self._errors = 0
        self._findings: list[Finding] = []

    def add(self, rule: Rule, count: int, findings: Sequence[Finding]) -> None:
        """Count one rule's findings and keep those given."""
        if count:
            self._counts[rule.name] += count
            self._errors += count if rule.severity is Severity.ERROR else 0
            self._findings += findings

    def report(self) -> Report:
        """Return everything, the findings by symbol, time and rule."""
        return Report(
            rows=self.rows,
            series=self.series,
            findings=tuple(sorted(self._findings, key=lambda one: (one.symbol, one.ts, one.rule))),
            counts=dict(sorted(self._counts.items())),
            errors=self._errors,
        )


def _check_slice(
    connection: duckdb.DuckDBPyConnection, one: Slice, limits: Thresholds, tally: Tally
) -> None:
    tally.rows += load_rows(connection, one.kind, one.kind, one.resolution, one.symbols)
    tally.series += len(one.symbols)
    for rule in rules_for(one.kind, one.resolution, limits):
        tally.add(rule, *run_rule(connection, rule, one.kind, one.resolution))


def run_rule(
    connection: duckdb.DuckDBPyConnection,
    rule: Rule,
    kind: DataKind,
    resolution: Resolution | None,
) -> tuple[int, list[Finding]]:
    """Return how many findings a rule has on table `checked`, and the first of each symbol."""
    connection.execute(f"create or replace temp table found as {rule.query}")
    count = connection.execute("select count(*) from found").fetchone()
    rows = connection.execute(
        f"""
        select symbol, ts, detail from found
        qualify row_number() over (partition by symbol order by ts) <= {FINDINGS_SHOWN}
        order by symbol, ts
        """
    ).fetchall()
    findings = [
        Finding(
            symbol=symbol,
            kind=kind,
            resolution=resolution,
            ts=ts,
            rule=rule.name,
            severity=rule.severity,
            detail=detail,
        )
        for symbol, ts, detail in rows
    ]
    return int(count[0]) if count else 0, findings


def _adjusted_by_source(store: Store) -> frozenset[str]:
    contents = store.contents()
    return frozenset(
        series.symbol
        for series in contents.series(DataKind.BARS, None)
        if any(record.adjusted for record in contents.of_series(series))
    )


def refusal(report: Report) -> Failure:
    """Describe a report with errors as one failure, naming the first."""
    first = next(one for one in report.findings if one.severity is Severity.ERROR)
    return Failure(
        f"{report.errors} quality errors",
        code=ExitCode.QUALITY,
        where=f"{first.symbol} {first.kind} {first.resolution or ''}".strip(),
        expected="none",
        found=f"{first.rule}: {first.detail}",
        next_step="tradingd data check lists them all",
    )


def _nothing_to_check(store: Store) -> Failure:
    return Failure(
        "the store holds no data",
        code=ExitCode.NO_DATA,
        where=str(store.root),
        next_step="tradingd data import",
    )
