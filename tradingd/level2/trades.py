"""Trades among DBN records: as rows of the trade layout, and beside books."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.assemble import column, repeated
from tradingd.level2.book import Ints64, TradeChunk
from tradingd.level2.columns import TRADES
from tradingd.level2.prices import UNIT
from tradingd.level2.records import Records, sequences, times

_TRADE: Final = b"T"
_UNDEF_PRICE: Final = 2**63 - 1


def trades_of(records: Records, symbol: str) -> pa.RecordBatch:
    """Return the trades among DBN records, in the layout of `columns.TRADES`.

    Parameters
    ----------
    records : (n,)
        Records of one symbol, of a schema that tells actions.

    Raises
    ------
    Failure
        INVALID_ROW: a trade without a price.
    """
    found = records[records["action"] == _TRADE]
    prices = _prices(found, symbol)
    rows = len(found)
    sides = np.where(np.isin(found["side"], (b"A", b"B")), found["side"], b"N")
    return pa.RecordBatch.from_arrays(
        [
            repeated(symbol, rows),
            column(times(found, "ts_event"), pa.timestamp("ns")),
            column(times(found, "ts_recv"), pa.timestamp("ns")),
            column(sequences(found), pa.int64()),
            decimals(prices),
            column(found["size"].astype(np.int64), pa.int64()),
            _letters(sides),
        ],
        schema=TRADES,
    )


def trade_chunk(records: Records, at: Ints64, closes: Ints64, *, own_state: bool) -> TradeChunk:
    """Return the trades among a chunk's records beside its states.

    Parameters
    ----------
    records : (n,)
    at : (n,) int64
        Time of each, UTC ns.
    closes : (k,) int64
        Indices of the records whose states are the chunk's.
    own_state : bool
        A trade's record shows the book before it (tbbo), not that of the last event.
    """
    where = np.flatnonzero(records["action"] == _TRADE) if len(records) else np.empty(0, np.int64)
    found = records[where]
    sign = np.zeros(len(found), np.int8)
    sign[found["side"] == b"B"] = 1
    sign[found["side"] == b"A"] = -1
    before = np.searchsorted(closes, where, side="right" if own_state else "left") - 1
    return TradeChunk(
        ts=at[where],
        price=nearest_unit(_prices(found, "")),
        size=found["size"].astype(np.int64),
        sign=sign,
        before=before.astype(np.int64),
    )


def nearest_unit(prices: Ints64) -> Ints64:
    """Round Nanos to stored units, half up."""
    units: Ints64 = (prices + UNIT // 2) // UNIT
    return units


def decimals(values: Ints64) -> pa.Array:
    """Return Nanos as exact decimals with nine places, without rounding."""
    halves = np.empty((len(values), 2), np.int64)
    halves[:, 0] = values
    halves[:, 1] = values >> 63  # the sign, in the upper half of 128 bits
    buffer = pa.py_buffer(halves)
    return pa.Array.from_buffers(TRADES.field("price").type, len(values), [None, buffer], 0)


def nanos_of(prices: pa.Array) -> NDArray[np.int64]:
    """Return the Nanos of a column of `decimals`, which fit 64 bits by their precision."""
    halves = np.frombuffer(prices.buffers()[1], np.int64).reshape(-1, 2)
    return np.ascontiguousarray(halves[prices.offset : prices.offset + len(prices), 0])


def _letters(values: NDArray[np.bytes_]) -> pa.Array:
    """Return one-letter texts as a column; their offsets are 0, 1, 2, ..."""
    offsets = pa.py_buffer(np.arange(len(values) + 1, dtype=np.int32))
    data = pa.py_buffer(np.ascontiguousarray(values, "S1"))
    return pa.Array.from_buffers(pa.string(), len(values), [None, offsets, data], null_count=0)


def _prices(found: Records, symbol: str) -> Ints64:
    prices = found["price"].astype(np.int64)
    without = prices == _UNDEF_PRICE
    if without.any():
        at = int(without.argmax())
        raise Failure(
            "A trade has no price",
            code=ExitCode.INVALID_ROW,
            where=f"{symbol} {np.datetime64(int(found['ts_recv'][at]), 'ns')}Z".strip(),
        )
    return prices
