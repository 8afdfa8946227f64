"""Run `tradingd record depth` and `tradingd record list` for a person."""

from pathlib import Path
from typing import Any

from tradingd.app.record import Recorded, record
from tradingd.app.record_list import Held, Listing, listing
from tradingd.cli import record as parameters
from tradingd.cli import screen
from tradingd.cli.record_screen import RecordScreen
from tradingd.cli.session_screen import when
from tradingd.cli.symbol_words import require_symbols
from tradingd.config.load import load
from tradingd.config.paths import level2_root
from tradingd.config.system import SystemConfig


def _config(params: Any) -> SystemConfig:
    overlay = Path(params.overlay) if params.overlay else None
    return load(params.overrides, overlay=overlay, instance=params.instance).config


def run_depth(params: parameters.DepthParams) -> Recorded:
    """Record until the feed ends or somebody stops it."""
    require_symbols(params.symbols)
    config = _config(params)
    with RecordScreen() as view:
        return record(
            config, symbols=params.symbols, minutes=params.minutes, emit=view.tell, show=view.show
        )


def render_depth(result: Recorded) -> None:
    """Print the captures, what was refused or mended, then the counts."""
    columns = ("symbol", "day", "from", "to", "events", "snapshots", "messages", "dropped", "book")
    rows = [
        (
            one.symbol,
            one.day,
            when(one.began or 0)[11:],
            when(one.ended or 0)[11:],
            one.events,
            one.rows,
            one.messages,
            one.dropped,
            _words(one.quality),
        )
        for one in result.captures
    ]
    if rows:
        screen.table(f"{result.label}: {result.root}", columns, rows)
    if result.recovered:
        mended = [(one.symbol, one.day, one.rows, one.messages) for one in result.recovered]
        screen.table("Published of captures that had died", columns[:2] + columns[5:7], mended)
    if result.damaged:
        screen.table("Damaged parts, kept aside", ("path",), [(one,) for one in result.damaged])
    if result.refused:
        screen.table("Not recorded", ("symbol", "why"), list(result.refused.items()))
    screen.summary(
        {
            "captures": len(result.captures),
            "events": result.events,
            "snapshots": result.rows,
            "messages": result.messages,
            "late": result.late,
            "dropped": result.dropped,
            "refused": len(result.refused),
            "recovered": len(result.recovered),
            "ended_by": result.ended_by,
            "seconds": result.seconds,
            "exit": result.exit_code,
        }
    )


def run_list(params: parameters.ListParams) -> Listing:
    """Look at what was captured."""
    require_symbols(params.symbols)
    return listing(level2_root(_config(params)), params.symbols)


def render_list(result: Listing) -> None:
    """Print one line a file, what is unfinished, then the counts."""
    columns = ("symbol", "day", "source", "from", "to", "levels", "ms", "snapshots", "log", "MB")
    if result.files:
        rows = [_row(one) for one in result.files]
        screen.table(result.root, (*columns, "book"), rows)
    for title, names in (("Unfinished", result.unfinished), ("Damaged", result.damaged)):
        if names:
            screen.table("", (title,), [(one,) for one in names])
    screen.summary(
        {
            "files": len(result.files),
            "symbols": len({one.symbol for one in result.files}),
            "snapshots": sum(one.rows for one in result.files),
            "unfinished": len(result.unfinished),
            "damaged": len(result.damaged) + sum(bool(one.problem) for one in result.files),
        }
    )


def _row(one: Held) -> tuple[object, ...]:
    return (
        one.symbol,
        one.day,
        one.source or one.tag,
        when(one.first_ts or 0)[11:],
        when(one.last_ts or 0)[11:],
        one.levels,
        one.interval_ms,
        one.rows,
        "yes" if one.messages else "no",
        f"{one.bytes / 1e6:.2f}",
        one.problem or _words(one.quality) + (" (recovered)" if one.recovered else ""),
    )


def _words(quality: dict[str, int]) -> str:
    return ", ".join(f"{name.lower()} {count:,}" for name, count in quality.items()) or "whole"
