"""Stored bars as `Series`: raw prices, restated for the splits that lie in the range."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.market import ActionKind, CorporateAction, DataKind, Resolution
from tradingd.features.series import PRICES, QUOTES, Floats, Integers, Series
from tradingd.features.sessions import place
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_midnight_ns

_CHUNK_ROWS: Final = 1_000_000
_NANOS: Final = 1e9


def read_series(
    store: Store,
    symbols: Sequence[str],
    resolution: Resolution | str,
    start: dt.date | None = None,
    end: dt.date | None = None,
    *,
    calendar: SessionCalendar,
    quotes: bool = False,
    regular_only: bool = True,
) -> list[Series]:
    """Return the stored bars of some symbols, one `Series` each, by symbol.

    Bars before a split are restated by the same float factors, in the same order, with which the
    daemon restates what it remembers, so that both compute from the same bits. Prices that their
    source adjusted for splits stay as they are. Bars with a price that is not positive are left
    out, as the daemon leaves them out.

    Parameters
    ----------
    start, end : date, optional
        New York days, both inclusive.
    quotes : bool
        Also the last quote at or before each bar.
    regular_only : bool
        Cut intraday bars to regular sessions.

    Raises
    ------
    Failure
        UNKNOWN_SYMBOL, EMPTY_RANGE, NO_DATA or DAMAGED_PARQUET.
    """
    length = Resolution(resolution)
    feed = store.feed(
        symbols,
        length,
        start,
        end,
        chunk_rows=_CHUNK_ROWS,
        sessions=calendar if regular_only else None,
    )
    columns = _columns(chunk.table for chunk in feed.chunks())
    splits = [one for one in feed.actions() if one.kind is ActionKind.SPLIT]
    found = []
    for symbol in sorted(columns):
        part = _positive(columns[symbol])
        if quotes:
            part |= _quotes(store, symbol, part["ts"], start, end)
        _restate(part, [one for one in splits if one.symbol == symbol])
        where = place(part["ts"], calendar)
        found.append(Series(symbol=symbol, **part, **msgspec.structs.asdict(where)))
    return found


def _columns(tables: Iterable[pa.Table]) -> dict[str, dict[str, Any]]:
    """Arrays of each symbol over all chunks."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        arrays: dict[str, Any] = {name: _dollars(table.column(name)) for name in PRICES}
        arrays["ts"] = table.column("ts_event").cast(pa.int64()).to_numpy()
        arrays["volume"] = table.column("volume").to_numpy().astype(np.float64)
        for symbol, first, last in _runs(table.column("symbol")):
            part = {name: one[first:last] for name, one in arrays.items()}
            parts.setdefault(symbol, []).append(part)
    return {
        symbol: {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        for symbol, found in parts.items()
    }


def _runs(symbols: pa.ChunkedArray) -> Iterable[tuple[str, int, int]]:
    encoded = pc.run_end_encode(pa.concat_arrays(symbols.chunks))
    ends = encoded.run_ends.to_pylist()
    return zip(encoded.values.to_pylist(), [0, *ends[:-1]], ends, strict=True)


def _dollars(column: pa.ChunkedArray) -> Floats:
    """Decimals as float(nanos) / 1e9, the daemon's conversion; null becomes nan.

    Arrow stores a decimal128 as two little-endian 64-bit words; eighteen digits fit the low one.
    """
    array = pa.concat_arrays(column.chunks)
    words = np.frombuffer(array.buffers()[1], dtype=np.int64)
    values: Floats = words[2 * array.offset : 2 * (array.offset + len(array)) : 2] / _NANOS
    if array.null_count:
        values[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values


def _positive(part: dict[str, Any]) -> dict[str, Any]:
    keep = np.logical_and.reduce([part[name] > 0.0 for name in PRICES])
    return part if keep.all() else {name: one[keep] for name, one in part.items()}


def _restate(part: dict[str, Any], splits: Sequence[CorporateAction]) -> None:
    """Multiply the prices before each split and divide the sizes, oldest split first."""
    for one in sorted(splits, key=lambda split: split.ex_date):
        rows = int(np.searchsorted(part["ts"], local_midnight_ns(one.ex_date), side="right"))
        # A split after the last bar shown restates nothing: no bar is in the new units yet.
        if rows == len(part["ts"]):
            continue
        factor = one.denominator / one.numerator
        for name in (*PRICES, "bid", "ask"):
            if name in part:
                part[name][:rows] *= factor
        for name in ("volume", "bid_size", "ask_size"):
            if name in part:
                part[name][:rows] /= factor


def _quotes(
    store: Store, symbol: str, ts: Integers, start: dt.date | None, end: dt.date | None
) -> dict[str, Floats]:
    """Return the last quote at or before each bar; a side without a price is nan."""
    try:
        table = store.read(DataKind.QUOTES, symbol, None, start, end)
    except Failure as failure:
        if failure.code not in (ExitCode.NO_DATA, ExitCode.UNKNOWN_SYMBOL, ExitCode.EMPTY_RANGE):
            raise
        return {name: np.full(len(ts), np.nan) for name in QUOTES}
    bid, ask = _dollars(table.column("bid")), _dollars(table.column("ask"))
    bid_size, ask_size = (_sizes(table.column(name)) for name in ("bid_size", "ask_size"))
    stamps = table.column("ts_event").cast(pa.int64()).to_numpy()
    last = np.searchsorted(stamps, ts, side="right") - 1
    columns = {
        "bid": np.where(bid > 0.0, bid, np.nan),
        "ask": np.where(ask > 0.0, ask, np.nan),
        "bid_size": np.where(bid > 0.0, bid_size, np.nan),
        "ask_size": np.where(ask > 0.0, ask_size, np.nan),
    }
    return {
        name: np.where(last >= 0, one[np.maximum(last, 0)], np.nan) for name, one in columns.items()
    }


def _sizes(column: pa.ChunkedArray) -> Floats:
    sizes: Floats = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy().copy()
    return sizes
