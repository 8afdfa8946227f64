"""Books of one symbol from a DBN file: every state after a record that closes its event."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import BookChunk, TradeChunk
from tradingd.level2.choose import the_symbol
from tradingd.level2.columns import Quality
from tradingd.level2.form import form_bits
from tradingd.level2.pairing import Chunk, settled
from tradingd.level2.records import (
    F_MAYBE_BAD_BOOK,
    Records,
    blocks,
    book_columns,
    closing,
    has_actions,
    of_instruments,
    times,
)
from tradingd.level2.trades import trade_chunk
from tradingd.session.calendar import NEW_YORK
from tradingd.vendors.databento.dbn import BOOK_SCHEMAS, DbnFile

_BLOCK = 8_192
_GRIDS = {"1s": NANOSECONDS, "1m": 60 * NANOSECONDS}


class DbnSource:
    """A `BookSource` over one DBN file; states whose `ts_recv` goes back count at the latest time.

    Records of ``tbbo`` show the book before their trade; so does its `before`.
    """

    def __init__(self, path: Path, *, symbol: str = "") -> None:
        self._file = file = DbnFile(path).open()
        if file.schema not in BOOK_SCHEMAS:
            raise Failure(
                "The DBN file has no order books",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(path),
                expected=", ".join(BOOK_SCHEMAS),
                found=file.schema,
            )
        first = next(file.chunks(1), None)
        self._names = dict(file.symbol_of(_utc_day(first) if first is not None else None))
        if first is not None:
            number = int(first["instrument_id"][0])
            self._names.setdefault(number, str(number))
        self.symbol = the_symbol(path, set(self._names.values()), symbol)
        self._numbers = frozenset(n for n, name in self._names.items() if name == self.symbol)
        self.label = f"{path.name} ({file.dataset} {file.schema})"
        at = int(first["ts_recv"][0]) if first is not None else file.start_ns
        self.day = dt.datetime.fromtimestamp(at // NANOSECONDS, tz=NEW_YORK).date()
        self.levels = sum(1 for name in file.dtype.names or () if name.startswith("bid_px_"))
        self.interval_ns = _GRIDS.get(file.schema.rpartition("-")[2], 0)
        self.every_change = not self.interval_ns
        self.has_trades = self.every_change

    def facts(self) -> dict[str, Any]:
        """Return what the file says of itself."""
        file = self._file
        return {
            "kind": "dbn",
            "version": file.version,
            "dataset": file.dataset,
            "schema": file.schema,
            "start_ns": file.start_ns,
            "end_ns": file.end_ns,
            "symbols": list(file.symbols),
        }

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        """Yield states and trades, as `BookSource.chunks` says."""
        return settled(self._chunks(rows))

    def _chunks(self, rows: int) -> Iterator[Chunk]:
        count = 0
        latest = 0
        for read in self._file.chunks(rows):
            records = of_instruments(read, self._numbers)
            if len(records):
                at = np.maximum.accumulate(times(records, "ts_recv"))
                at = np.maximum(at, latest)
                latest = int(at[-1])
                yield self._chunk(records, at, count)
            count += len(read)

    def _chunk(self, records: Records, at: Any, count: int) -> Chunk:
        own_state = self._file.schema == "tbbo"
        closes = np.arange(len(records)) if own_state else closing(records)
        states = records if len(closes) == len(records) else records[closes]
        numbers = count + closes
        pieces = [
            book_columns(block, self.levels, self.symbol, numbers[n * _BLOCK :])
            for n, block in enumerate(blocks(states, _BLOCK))
        ]
        empty = np.empty((6 * self.levels, 0), np.int32)
        columns = np.concatenate(pieces, axis=1) if pieces else empty
        bid_px, ask_px = tuple(columns[0::6]), tuple(columns[1::6])
        quality = form_bits(bid_px, ask_px)
        quality |= ((states["flags"] & F_MAYBE_BAD_BOOK) != 0) * np.int16(Quality.SUSPECT)
        book = BookChunk(
            ts=at[closes],
            bid_px=bid_px,
            ask_px=ask_px,
            bid_sz=tuple(columns[2::6]),
            ask_sz=tuple(columns[3::6]),
            quality=quality,
        )
        if not has_actions(records):
            return book, trade_chunk(records[:0], at[:0], closes, own_state=False)
        return book, trade_chunk(records, at, closes, own_state=own_state)


def _utc_day(records: Records) -> dt.date:
    seconds = int(records["ts_recv"][0]) // NANOSECONDS
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).date()
