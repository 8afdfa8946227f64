"""Failures that say what the store does not hold, and what it does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.layout import Series
from tradingd.history.manifest import FileRecord
from tradingd.history.span import Span
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest


def no_data(root: Path, kind: DataKind, resolution: Resolution | None) -> Failure:
    """Return the failure for a table without rows."""
    table = f"{resolution} {kind}" if resolution else str(kind)
    return Failure(
        f"the history store holds no {table}",
        code=ExitCode.NO_DATA,
        where=str(root),
        expected=f"imported {table}",
        found="none",
        next_step="tradingd data import source=... ; tradingd data scan shows what is stored",
    )


def unknown_symbol(root: Path, series: Series, stored: Sequence[str]) -> Failure:
    """Return the failure for a symbol without rows of this kind."""
    similar = nearest(series.symbol, stored)
    return Failure(
        f"the history store holds no {series}",
        code=ExitCode.UNKNOWN_SYMBOL,
        where=str(root),
        expected=f"one of {len(stored)} symbols" + (f", perhaps {similar}" if similar else ""),
        found=series.symbol,
        next_step="tradingd data scan lists what is stored",
    )


def unknown_symbol_anywhere(root: Path, symbol: str, stored: Sequence[str]) -> Failure:
    """Return the failure for a symbol of which no table has a row."""
    similar = nearest(symbol, stored)
    return Failure(
        f"the history store holds nothing of {symbol}",
        code=ExitCode.UNKNOWN_SYMBOL,
        where=str(root),
        expected=f"one of {len(stored)} symbols" + (f", perhaps {similar}" if similar else ""),
        found=symbol,
        next_step="tradingd data scan lists what is stored",
    )


def empty_range(wanted: Sequence[Series], stored: Sequence[FileRecord], span: Span) -> Failure:
    """Return the failure for a range without a single row."""
    first = min(one.first_ts for one in stored)
    last = max(one.last_ts for one in stored)
    names = str(wanted[0]) if len(wanted) == 1 else f"{len(wanted)} symbols"
    return Failure(
        f"no rows of {names} in the asked range",
        code=ExitCode.EMPTY_RANGE,
        expected=f"a range within {_day(first)} .. {_day(last)}",
        found=f"{_edge(span.start_ns)} .. {_edge(span.end_ns)}",
        next_step="change the dates, or import more history",
    )


def _edge(ts: int) -> str:
    return "open" if abs(ts) > 2**63 - 2 else _day(ts)


def _day(ts: int) -> str:
    return str(np.datetime64(ts, "ns").astype("datetime64[m]")) + "Z"
