"""Run `tradingd data sync` and `tradingd data provenance` for a person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradingd.app import data
from tradingd.app.sync.report import Outcome, RangeReport, Synced
from tradingd.cli import data as parameters
from tradingd.cli import screen
from tradingd.cli.symbol_words import require_symbols
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.history.missing import unknown_symbol_anywhere
from tradingd.history.provenance import Origin, origins
from tradingd.kits.failure import ExitCode, Failure

# The worst first, so that the limit never hides a refusal behind what went well.
_ORDER = (
    Outcome.FAILED,
    Outcome.REFUSED,
    Outcome.UNKNOWN,
    Outcome.FLAGGED,
    Outcome.CONFIRMED,
    Outcome.EMPTY,
    Outcome.STORED,
    Outcome.PLANNED,
)


class ProvenanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd data provenance`: runs of rows, by series, then time."""

    symbol: str
    origins: tuple[Origin, ...]


def _config(params: Any, overrides: Sequence[str] = ()) -> SystemConfig:
    overlay = Path(params.overlay) if params.overlay else None
    return load([*params.overrides, *overrides], overlay=overlay).config


def run_sync(params: parameters.SyncParams) -> Synced:
    """Fill what is missing; the result lists the worst ranges first, up to the limit."""
    from tradingd.app.sync.run import sync

    require_symbols(params.symbols)
    _refuse_source(params.overrides)
    quoted = ",".join(f"'{one}'" for one in params.symbols)
    only = [f"sync.symbols=[{quoted}]"] if params.symbols else []
    config = _config(params, only)
    with screen.progress("sync, ranges") as meter:
        result = sync(
            config,
            data.open_store(config),
            dry_run=params.dry_run,
            progress=lambda done, total, _symbol: meter.reached(done, total),
        )
    ranges = sorted(result.ranges, key=lambda one: _ORDER.index(one.outcome))
    return msgspec.structs.replace(result, ranges=tuple(ranges[: params.limit]))


def _refuse_source(overrides: Sequence[str]) -> None:
    """Refuse what has no effect: somebody would believe that this vendor was asked."""
    for word in overrides:
        key, _, value = word.partition("=")
        if key == "source" or key.startswith("source."):
            kind = value if key == "source" else "alpaca"
            raise Failure(
                "data sync asks sync.sources, the primary first; source= is for data import",
                code=ExitCode.USAGE,
                where="command line",
                expected="sync.sources=[...]",
                found=word,
                next_step=f"'sync.sources=[{{kind: {kind}}}]', with the keys of the source in it",
            )


def render_sync(result: Synced) -> None:
    """Print the ranges that say something, then the counts."""
    span = ("symbol", "from", "to", "sessions")
    if result.dry_run:
        screen.table("To fetch", span, [_span(one) for one in result.ranges])
    elif told := [one for one in result.ranges if _worth_telling(one)]:
        rows = [_range_row(one) for one in told]
        screen.table("Not simply stored", (*span, "outcome", "source", "new", "why"), rows)
    if result.put_aside:
        rows_aside = list(result.put_aside.items())
        screen.table("Sources not asked any more", ("source", "why"), rows_aside)
    if result.actions_missing:
        names = ", ".join(result.actions_missing[:10])
        rows_untold = [(len(result.actions_missing), names)]
        screen.table("", ("symbols", "splits and dividends not known of"), rows_untold)
    screen.summary(_summary(result))


def _worth_telling(one: RangeReport) -> bool:
    return one.outcome is not Outcome.STORED or len(one.attempts) > 1


def _range_row(one: RangeReport) -> tuple[object, ...]:
    return (*_span(one), one.outcome, one.source or "-", one.rows_new, one.why)


def _span(one: RangeReport) -> tuple[object, ...]:
    return one.symbol, one.first, one.last, one.sessions


def _summary(result: Synced) -> dict[str, object]:
    ranges = sum(result.outcomes.values())
    left = {name: result.outcomes.get(name, 0) for name in ("refused", "failed", "unknown")}
    if result.dry_run:
        left = {}
    return {
        "resolution": result.resolution,
        "first": result.first,
        "last": result.last,
        "symbols": result.symbols,
        "complete": result.complete,
        "ranges": ranges,
        **left,
        **{f"from_{name}": count for name, count in result.by_source.items()},
        "rows_new": result.rows_new,
        "rows_revised": result.rows_revised,
        "actions": result.actions,
        "dry_run": str(result.dry_run).lower(),
        "seconds": result.seconds,
    }


def run_provenance(params: parameters.ProvenanceParams) -> ProvenanceReport:
    """Read where a symbol's rows came from."""
    store = data.open_store(_config(params))
    known = data.stored_symbols(store)
    if params.symbol not in known:
        raise unknown_symbol_anywhere(store.root, params.symbol, known)
    found = origins(store.root, params.symbol)
    return ProvenanceReport(symbol=params.symbol, origins=tuple(found))


def render_provenance(result: ProvenanceReport) -> None:
    """Print one line per run of rows."""
    columns = ("table", "bars", "first", "last", "rows", "source", "written", "verdict", "note")
    rows = [
        (
            one.table,
            one.resolution,
            one.first,
            one.last,
            one.rows,
            one.source,
            one.at,
            one.verdict or "unchecked",
            one.note,
        )
        for one in result.origins
    ]
    screen.table(result.symbol, columns, rows)
    sources = sorted({one.source for one in result.origins})
    total = sum(one.rows for one in result.origins)
    screen.summary({"ranges": len(rows), "rows": total, "sources": ",".join(sources)})
