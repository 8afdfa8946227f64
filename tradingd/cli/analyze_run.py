"""Run `tradingd analyze signals` for a person: a table of signals, one SUMMARY line."""

import re
from collections.abc import Sequence
from pathlib import Path

from tradingd.app.analyze import SignalReport, SignalRow, analyze_signals
from tradingd.app.lookback import parse_duration
from tradingd.cli import screen
from tradingd.cli.analyze import SignalsParams
from tradingd.config.load import load
from tradingd.kits.failure import ExitCode, Failure

_SYMBOL = re.compile(r"[A-Z][A-Z0-9.\-]{0,14}")
_COLUMNS = (
    "symbol", "time (New York)", "close", "EMA fast", "EMA slow", "ADX", "ATR", "RSI", "VWAP", "z",
    "strategy", "signal", "reason",
)  # fmt: skip


def signals(params: SignalsParams) -> SignalReport:
    """Analyse the asked symbols."""
    names, overrides = _apart(params.symbols)
    duration = parse_duration(params.duration)
    loaded = load(
        (*params.overrides, *overrides), overlay=Path(params.overlay) if params.overlay else None
    )
    return analyze_signals(
        loaded.config,
        names,
        duration=duration,
        bar_size=params.bar_size,
        save=not params.no_save,
    )


def _apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell symbols from overrides: an argument parser gives `--symbols` every word after it."""
    overrides = [word for word in words if "=" in word]
    listed = [part for word in words if "=" not in word for part in word.upper().split(",")]
    names = list(dict.fromkeys(listed))
    for name in names:
        if not _SYMBOL.fullmatch(name):
            raise _no_symbol(name)
    if not names:
        raise _no_symbol(" ".join(words))
    return names, overrides


def _no_symbol(found: str) -> Failure:
    return Failure(
        "this is no symbol",
        code=ExitCode.USAGE,
        where="--symbols",
        expected="symbols such as AAPL or BRK.B",
        found=repr(found),
    )


def render_signals(report: SignalReport) -> None:
    """Print the signals in time order, then where every symbol stands."""
    told = sorted((row for row in report.rows if row.signal != "-"), key=lambda row: row.time)
    last = [row for row in report.rows if row.signal == "-"]
    if told:
        screen.table(f"Signals on bars of {report.bar_size}", _COLUMNS, [_cells(r) for r in told])
    screen.table("Last bar", _COLUMNS[:10], [_cells(row)[:10] for row in last])
    screen.summary(
        {
            "symbols": report.symbols,
            "bars": report.bars,
            "signals": report.signals,
            "fetched": ",".join(report.fetched) or "none",
            "saved": str(report.saved).lower(),
        }
    )


def _cells(row: SignalRow) -> tuple[object, ...]:
    return (
        row.symbol,
        row.time,
        *(
            "" if value is None else f"{value:.2f}"
            for value in (
                row.close,
                row.ema_fast,
                row.ema_slow,
                row.adx,
                row.atr,
                row.rsi,
                row.vwap,
                row.z,
            )
        ),
        row.strategy,
        row.signal,
        row.reason,
    )
