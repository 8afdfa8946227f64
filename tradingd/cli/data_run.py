"""Run the `tradingd data` commands for a person: progress bars, tables, one SUMMARY line."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tradingd.app import data
from tradingd.cli import data as parameters
from tradingd.cli import screen
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.domain.market import CorporateAction
from tradingd.domain.money import decimal
from tradingd.history.compact import Compacted, compact
from tradingd.history.integrity import Damage, verify
from tradingd.history.missing import unknown_symbol_anywhere
from tradingd.history.scan import Coverage, scan
from tradingd.history.snapshot import Snapshot, restore, snapshot
from tradingd.kits.failure import ExitCode
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.make import make_source

_SEVERITIES = ("error", "warning", "info")


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd data scan`; `damaged` is None when hashes were not compared."""

    exit_code: int
    series: tuple[Coverage, ...]
    damaged: tuple[Damage, ...] | None


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finding for a person; `time` is UTC."""

    symbol: str
    table: str
    time: str
    rule: str
    severity: str
    detail: str


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd data check`: counts of all findings, and the first of them."""

    exit_code: int
    rows: int
    series: int
    errors: int
    total: int
    counts: dict[str, int]
    findings: tuple[FindingRow, ...]


class ActionsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd data actions`."""

    actions: tuple[CorporateAction, ...]
    ticker_history: tuple[CorporateAction, ...]


def _config(params: Any) -> SystemConfig:
    overlay = Path(params.overlay) if params.overlay else None
    return load(params.overrides, overlay=overlay).config


def run_import(params: parameters.ImportParams) -> data.Imported:
    """Import the configured source."""
    config = _config(params)
    with screen.progress("import, files") as meter:
        return data.import_history(
            config,
            make_source(config.source),
            keep_going=params.keep_going,
            progress=meter.reached,
        )


def render_import(result: data.Imported) -> None:
    """Print refused files, then the counts."""
    if result.refused:
        rows = [(one.file, one.exit_code, one.problem) for one in result.refused]
        screen.table("Refused files", ("file", "exit code", "problem"), rows)
    if result.skipped:
        screen.table("Rows left out", ("rule", "rows"), list(result.skipped.items()))
    facts = msgspec.structs.asdict(result)
    hidden = ("exit_code", "refused", "skipped")
    screen.summary({key: facts[key] for key in facts if key not in hidden})


def run_query(params: parameters.QueryParams) -> data.Answer:
    """Run one SELECT."""
    return data.query(data.open_store(_config(params)), params.sql, params.limit)


def render_query(result: data.Answer) -> None:
    """Print the rows and how many there are."""
    screen.table("", result.columns, result.rows)
    screen.summary({"rows": len(result.rows), "more": str(result.more).lower()})


def run_check(params: parameters.CheckParams) -> CheckReport:
    """Run the quality rules; `strict` turns errors into an exit code, after listing them."""
    from tradingd.quality.check import check, slices_of

    config = _config(params)
    store = data.open_store(config)
    total = sum(len(one.symbols) for one in slices_of(store, params.symbols))
    with screen.progress("check, series", total) as meter:
        report = check(
            store,
            SessionCalendar(config.session.calendar),
            symbols=params.symbols,
            advance=meter.advance,
        )
    refused = params.strict and report.errors
    # The worst first, so that the limit never hides an error behind a warning.
    findings = sorted(report.findings, key=lambda one: _SEVERITIES.index(one.severity))
    return CheckReport(
        exit_code=ExitCode.QUALITY if refused else ExitCode.OK,
        rows=report.rows,
        series=report.series,
        errors=report.errors,
        total=report.total,
        counts=report.counts,
        findings=tuple(_finding(one) for one in findings[: params.limit]),
    )


def _finding(one: Any) -> FindingRow:
    moment = f"{np.datetime64(one.ts, 'ns').astype('datetime64[s]')}Z"
    place = f"{one.kind} {one.resolution or ''}".strip()
    return FindingRow(
        symbol=one.symbol,
        table=place,
        time=moment,
        rule=one.rule,
        severity=str(one.severity),
        detail=one.detail,
    )


def render_check(result: CheckReport) -> None:
    """Print findings and the count of each rule."""
    if result.findings:
        columns = ("symbol", "table", "time", "severity", "rule", "detail")
        rows = [
            (one.symbol, one.table, one.time, one.severity, one.rule, one.detail)
            for one in result.findings
        ]
        screen.table("Findings", columns, rows)
        screen.table("By rule", ("rule", "findings"), list(result.counts.items()))
    facts = {"series": result.series, "rows": result.rows, "findings": result.total}
    screen.summary({**facts, "shown": len(result.findings), "errors": result.errors})


def run_compact(params: parameters.CompactParams) -> Compacted:
    """Compact the store."""
    store = data.open_store(_config(params))
    data.stored_symbols(store)
    with screen.progress("compact, partitions") as meter:
        return compact(store, meter.reached)


def render_compact(result: Compacted) -> None:
    """Print the counts."""
    screen.summary(msgspec.structs.asdict(result))


def run_scan(params: parameters.ScanParams) -> ScanReport:
    """Survey the store."""
    config = _config(params)
    store = data.open_store(config)
    known = data.stored_symbols(store)
    for symbol in params.symbols:
        if symbol not in known:
            raise unknown_symbol_anywhere(store.root, symbol, known)
    damaged: tuple[Damage, ...] | None = None
    if params.verify:
        records = store.contents().files()
        with screen.progress("verify, files", len(records)) as meter:
            damaged = tuple(verify(store.root, records, lambda _record: meter.advance()))
    known_bad = {one.path for one in damaged or ()}
    with screen.progress("scan, series") as meter:
        calendar = SessionCalendar(config.session.calendar)
        series = scan(store, calendar, params.symbols, meter.reached, known_bad)
    code = ExitCode.DAMAGED_PARQUET if damaged else ExitCode.OK
    return ScanReport(exit_code=code, series=tuple(series), damaged=damaged)


def render_scan(result: ScanReport) -> None:
    """Print one line per series, then damaged files."""
    columns = ("symbol", "table", "bars", "first", "last", "rows", "sessions", "missing")
    rows = [_coverage_row(one) for one in result.series]
    screen.table("", (*columns, "files", "MB", "prices", "source"), rows)
    if result.damaged:
        listed = [(one.path, one.problem) for one in result.damaged]
        screen.table("Damaged files", ("file", "problem"), listed)
    screen.summary(
        {
            "series": len(result.series),
            "symbols": len({one.symbol for one in result.series}),
            "rows": sum(one.rows for one in result.series),
            "bytes": sum(one.bytes for one in result.series),
            "damaged": "unchecked" if result.damaged is None else len(result.damaged),
        }
    )


def _coverage_row(one: Coverage) -> tuple[object, ...]:
    prices = "split-adjusted" if one.adjusted else "as traded"
    span = (one.symbol, one.table, one.resolution, one.first, one.last, f"{one.rows:,}")
    size = (one.sessions, one.sessions_missing, one.files, f"{one.bytes / 1e6:.2f}")
    return (*span, *size, prices, one.source)


def run_snapshot(params: parameters.SnapshotParams) -> Snapshot:
    """Keep the store under a name."""
    store = data.open_store(_config(params))
    data.stored_symbols(store)
    with screen.progress("snapshot, files") as meter:
        return snapshot(store, params.name, data.folder(params.to), meter.reached)


def render_snapshot(result: Snapshot) -> None:
    """Print what was kept."""
    screen.summary(msgspec.structs.asdict(result))


def run_restore(params: parameters.RestoreParams) -> Snapshot:
    """Bring a snapshot back."""
    store = data.open_store(_config(params))
    with screen.progress("restore, files") as meter:
        return restore(store, params.name, data.folder(params.origin), meter.reached)


def render_restore(result: Snapshot) -> None:
    """Print what came back."""
    screen.summary(msgspec.structs.asdict(result))


def run_actions(params: parameters.ActionsParams) -> ActionsReport:
    """Return a symbol's corporate actions."""
    store = data.open_store(_config(params))
    found = store.actions([params.symbol])
    known = data.stored_symbols(store)
    if not found and params.symbol not in known:
        raise unknown_symbol_anywhere(store.root, params.symbol, known)
    return ActionsReport(
        actions=tuple(found), ticker_history=tuple(store.ticker_history(params.symbol))
    )


def render_actions(result: ActionsReport) -> None:
    """Print the actions by date."""
    rows = [(one.ex_date, one.kind, _detail(one), one.source) for one in result.actions]
    screen.table("", ("ex-date", "kind", "detail", "source"), rows)
    names = " < ".join(one.old_symbol for one in reversed(result.ticker_history))
    screen.summary({"actions": len(rows), "formerly": names or "-"})


def _detail(action: CorporateAction) -> str:
    details = {
        "split": f"{action.numerator} for {action.denominator}",
        "dividend": f"{decimal(action.amount).normalize():f} USD per share",
        "rename": f"{action.old_symbol} became {action.symbol}",
    }
    return details.get(action.kind, "")
