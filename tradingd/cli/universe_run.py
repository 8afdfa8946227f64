"""Run `tradingd universe` for a person."""

import time
from pathlib import Path
from typing import Any

import msgspec

from tradingd.app import universe
from tradingd.cli import screen
from tradingd.cli import universe as parameters
from tradingd.cli.symbol_words import require_symbols
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.config.universe import TieredUniverse
from tradingd.universe.facts import Row

_NAMES = 8
"""Symbols that a line of changes names."""


def _config(params: Any) -> SystemConfig:
    """Compose the configuration; where it has no tiers and none are asked for, those of `core`."""
    overlay = Path(params.overlay) if params.overlay else None
    # Without the keys of a kind that may not be the configured one.
    rest = [word for word in params.overrides if not word.startswith("universe.")]
    config = load(rest, overlay=overlay).config
    stated = any(word.partition("=")[0] == "universe" for word in params.overrides)
    chosen = isinstance(config.universe, TieredUniverse) or stated
    words = params.overrides if chosen else ["universe=core", *params.overrides]
    return load(words, overlay=overlay).config


def _stated(params: Any) -> SystemConfig:
    overlay = Path(params.overlay) if params.overlay else None
    return load(params.overrides, overlay=overlay).config


def run_refresh(params: parameters.RefreshParams) -> universe.Refreshed:
    """Write the files; with `if_configured` only those of the configuration's own tiers."""
    if params.if_configured and not isinstance(_stated(params).universe, TieredUniverse):
        return universe.Refreshed()
    with screen.progress("universe, days") as meter:
        return universe.refresh(
            _config(params), time.time_ns(), params.start, params.end, meter.reached
        )


def render_refresh(result: universe.Refreshed) -> None:
    """Print the last day's counts."""
    if result.rejected:
        screen.table(
            f"Rejected on {result.last}", ("clause", "symbols"), list(result.rejected.items())
        )
    screen.summary(
        {
            "first": result.first or "-",
            "last": result.last or "-",
            "days": result.days,
            "symbols": result.symbols,
            "core": result.core,
            "extended": result.extended,
            "estimated_spreads": result.estimated_spreads,
            "folder": result.folder or "-",
        }
    )


def run_show(params: parameters.ShowParams) -> universe.Listed:
    """Read a day; the first rows, up to the limit."""
    found = universe.show(_config(params), time.time_ns(), params.day, rejected=params.rejected)
    return msgspec.structs.replace(found, rows=found.rows[: params.limit])


def render_show(result: universe.Listed) -> None:
    """Print one line per symbol."""
    columns = (
        "rank", "symbol", "tier", "USD a day", "price", "spread bps", "volatility %", "bucket",
        "sessions", "earnings", "rejected for",
    )  # fmt: skip
    screen.table(f"{result.tier} of {result.day}", columns, [_line(one) for one in result.rows])
    screen.summary(
        {
            "day": result.day,
            "symbols": result.symbols,
            "core": result.core,
            "extended": result.extended,
            "shown": len(result.rows),
        }
    )


def _line(one: Row) -> tuple[object, ...]:
    mark = "" if one.spread_source in ("", "quotes") else " est."
    return (
        one.rank or "-",
        one.symbol,
        one.tier or "-",
        f"{one.dollar_volume:,.0f}",
        _number(one.price, ".2f"),
        _number(one.spread_bps, ".1f") + mark,
        _number(one.volatility_percent, ".1f"),
        "-" if one.volatility_bucket is None else one.volatility_bucket,
        one.history,
        one.earnings or "-",
        ", ".join(one.rejected),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def run_explain(params: parameters.ExplainParams) -> universe.Explained:
    """Judge one symbol again, clause by clause."""
    require_symbols((params.symbol,))
    return universe.explain(_config(params), time.time_ns(), params.symbol, params.day)


def render_explain(result: universe.Explained) -> None:
    """Print every clause."""
    verdicts = {True: "passed", False: "FAILED", None: "unknown"}
    rows = [(one.name, one.value, one.bound, verdicts[one.passed]) for one in result.clauses]
    row = result.row
    screen.table(f"{row.symbol} on {row.day}", ("clause", "value", "bound", "verdict"), rows)
    screen.summary(
        {
            "symbol": row.symbol,
            "day": row.day,
            "tier": row.tier or "none",
            "rank": row.rank or "-",
            "failed": ",".join(row.rejected) or "-",
        }
    )


def run_history(params: parameters.HistoryParams) -> universe.History:
    """Compare the days; the latest, up to the limit."""
    found = universe.history(_config(params), params.start, params.end)
    return msgspec.structs.replace(found, days=found.days[-params.limit :])


def render_history(result: universe.History) -> None:
    """Print one line per day."""
    rows = [(one.day, one.members, _some(one.joined), _some(one.left)) for one in result.days]
    screen.table(f"{result.tier} by day", ("day", "members", "joined", "left"), rows)
    screen.summary(
        {
            "first": result.first,
            "last": result.last,
            "ever": result.ever,
            "shown": len(result.days),
        }
    )


def _some(symbols: tuple[str, ...]) -> str:
    more = f" and {len(symbols) - _NAMES} more" if len(symbols) > _NAMES else ""
    return ", ".join(symbols[:_NAMES]) + more
