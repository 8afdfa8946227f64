"""Books and trades to engine objects, in bulk: one Arrow stream per symbol and slice.

An engine book costs 25 us from Python's constructors, 2 us through the wrangler
(`python -m tests.benchmarks.engine_depth` prints both).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from nautilus_trader.model import (
    AggressorSide,
    InstrumentId,
    OrderBookDepth,
    QuoteTick,
    TradeId,
    TradeTick,
)
from nautilus_trader.persistence import OrderBookDepthDataWrangler
from nautilus_trader.serialization import get_arrow_schema_bytes

from tradingd.engine.books.stream import BookLane
from tradingd.engine.books.view import NANOS
from tradingd.engine.loader import stream_bytes
from tradingd.engine.units import PRECISION, price, shares
from tradingd.level2.book import BookChunk, Ints32

_VALUE = pa.decimal128(38, 16)
_TIME = pa.timestamp("ns", tz="UTC")
_AGGRESSOR: Final = {1: AggressorSide.BUY, -1: AggressorSide.SELL}


class DepthLoader:
    """Builds the engine's books, trades and first quotes of one slice after another.

    The engine denies a market order before it has seen a quote or a trade
    (``MARKET_PRICE_UNAVAILABLE``): each symbol begins with a quote of its first book.
    """

    def __init__(self, ids: Mapping[str, InstrumentId]) -> None:
        self._ids = ids
        self._wranglers = {
            symbol: OrderBookDepthDataWrangler(str(one), PRECISION, 0)
            for symbol, one in ids.items()
        }
        self._schemas = {symbol: _schema(one) for symbol, one in ids.items()}
        self._quoted: set[str] = set()
        self._trades = 0

    def lanes(self, lane: BookLane) -> list[list[Any]]:
        """Return a symbol's books, its trades, and the quote that goes before them."""
        found: list[list[Any]] = [self._books(lane), self._trade_ticks(lane)]
        if lane.symbol not in self._quoted and lane.books.rows:
            quote = self._quote(lane)
            if quote is not None:
                self._quoted.add(lane.symbol)
                found.append([quote])
        return found

    def _books(self, lane: BookLane) -> list[OrderBookDepth]:
        if not lane.books.rows:
            return []
        batch = _batch(lane.books, self._schemas[lane.symbol])
        books: list[OrderBookDepth] = self._wranglers[lane.symbol].process_record_batch_bytes(
            stream_bytes(batch)
        )
        return books

    def _trade_ticks(self, lane: BookLane) -> list[TradeTick]:
        instrument, ticks = self._ids[lane.symbol], []
        columns = (lane.trade_ts, lane.price, lane.size, lane.sign)
        for ts, amount, size, sign in zip(*(one.tolist() for one in columns), strict=True):
            self._trades += 1
            ticks.append(
                TradeTick(
                    instrument,
                    price(amount * NANOS),
                    shares(size),
                    _AGGRESSOR[sign],
                    TradeId(str(self._trades)),
                    ts,
                    ts,
                )
            )
        return ticks

    def _quote(self, lane: BookLane) -> QuoteTick | None:
        """Return a quote a nanosecond before the first book; of one side twice if it has one."""
        books = lane.books
        bid_size, ask_size = int(books.bid_sz[0][0]), int(books.ask_sz[0][0])
        if not bid_size and not ask_size:
            return None
        bid = int(books.bid_px[0][0] if bid_size else books.ask_px[0][0]) * NANOS
        ask = int(books.ask_px[0][0] if ask_size else books.bid_px[0][0]) * NANOS
        ts = int(books.ts[0]) - 1
        sizes = shares(bid_size or ask_size), shares(ask_size or bid_size)
        return QuoteTick(self._ids[lane.symbol], price(bid), price(ask), *sizes, ts, ts)


def _batch(books: BookChunk, schema: pa.Schema) -> pa.RecordBatch:
    """Return the engine's columns: both sides, flags, sequence, times, identifier."""
    rows = books.rows
    times = pa.array(books.ts).cast(_TIME)
    sides = [
        _side(prices, sizes, schema.field(name).type)
        for name, prices, sizes in (
            ("bids", books.bid_px, books.bid_sz),
            ("asks", books.ask_px, books.ask_sz),
        )
    ]
    zeros = pa.array(np.zeros(rows, np.uint8))
    sequence = pa.array(np.zeros(rows, np.uint64))
    columns = [*sides, zeros, sequence, times, times, pa.nulls(rows, pa.string())]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _side(prices: tuple[Ints32, ...], sizes: tuple[Ints32, ...], kind: pa.DataType) -> pa.Array:
    """Return one side as lists of levels that exist, from the best."""
    size = np.stack(sizes, axis=1)
    there = size > 0
    amount = np.stack(prices, axis=1)[there]
    size = size[there]
    item = kind.value_type
    levels = pa.StructArray.from_arrays(
        [
            _decimals(amount, 4),
            _decimals(size, 0),
            pa.array(np.zeros(len(size), np.uint32)),
            pa.array(np.zeros(len(size), np.uint64)),
        ],
        fields=[item.field(index) for index in range(item.num_fields)],
    )
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), levels, type=kind)


def _decimals(values: Ints32, scale: int) -> pa.Array:
    """Return positive whole numbers of 10**-scale as the engine's decimals, exactly."""
    words = np.zeros((len(values), 2), np.int64)
    words[:, 0] = values
    kind = pa.decimal128(14, scale)
    whole = pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(words)])
    return pc.cast(whole, _VALUE)


def _schema(instrument: InstrumentId) -> pa.Schema:
    schema = pa.ipc.read_schema(pa.py_buffer(get_arrow_schema_bytes(OrderBookDepth)))
    metadata = OrderBookDepth.get_metadata(instrument, PRECISION, 0)
    return schema.with_metadata({**(schema.metadata or {}), **metadata})
