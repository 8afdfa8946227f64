"""Books from a snapshot file of ours, and the trades from the file beside it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, Ints64, TradeChunk
from tradingd.level2.choose import the_symbol
from tradingd.level2.columns import SCHEMA_VERSION, TRADES, level_names, levels_of, snapshot_schema
from tradingd.level2.facts import SNAPSHOTS, read_facts
from tradingd.level2.pairing import Chunk, no_trades, settled, taken
from tradingd.level2.parquet import opened
from tradingd.level2.trades import nanos_of, nearest_unit

_MILLISECOND: Final = 1_000_000


class SnapshotSource:
    """A `BookSource` over one snapshot file; its trades are held in memory (33 bytes each).

    Where the file keeps changes and a grid, all rows are yielded. A trade's `before` is the last
    row with a time before the trade's `ts_recv`.
    """

    def __init__(self, path: Path, *, symbol: str = "") -> None:
        self._path = path
        with opened(path) as file:
            schema = file.schema_arrow
        self.levels = levels_of(schema)
        self._facts = facts = read_facts(schema)
        _check_layout(path, schema, facts)
        self.symbol = the_symbol(path, [facts["symbol"]], symbol)
        self.day = dt.date.fromisoformat(facts["day"])
        self.every_change = facts["on_change"] == "true"
        self.interval_ns = 0 if self.every_change else int(facts["interval_ms"]) * _MILLISECOND
        self.label = f"{path.name} (snapshots, {self.levels} levels)"
        beside = path.with_name(path.name.replace("_snapshots_", "_trades_"))
        self._trades = beside if beside != path and beside.is_file() else None
        self.has_trades = self._trades is not None

    def facts(self) -> dict[str, Any]:
        """Return what the file says of itself: the keys of its metadata, without their prefix."""
        return {"kind": "snapshots", **self._facts}

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        """Yield states and trades, as `BookSource.chunks` says."""
        return settled(self._chunks(rows))

    def _chunks(self, rows: int) -> Iterator[Chunk]:
        trades = _read_trades(self._trades) if self._trades else no_trades()
        done = 0
        for book in _books(self._path, self.levels, rows):
            upto = int(np.searchsorted(trades.ts, book.ts[-1], side="right"))
            part = taken(trades, slice(done, upto))
            before = np.searchsorted(book.ts, part.ts, side="left") - 1
            yield book, _placed(part, before.astype(np.int64))
            done = upto
        if done < len(trades.ts):
            yield _nothing(self.levels), taken(trades, slice(done, None), before=-1)


def _books(path: Path, levels: int, rows: int) -> Iterator[BookChunk]:
    names = [name for level in range(levels) for name in level_names(level)[:4]]
    with opened(path) as file:
        columns = ["ts", "quality", *names]
        for batch in file.iter_batches(batch_size=rows, columns=columns, use_threads=False):
            yield BookChunk(
                ts=batch["ts"].cast(pa.int64()).to_numpy(),
                bid_px=tuple(_filled(batch[name], NO_BID) for name in names[0::4]),
                ask_px=tuple(_filled(batch[name], NO_ASK) for name in names[1::4]),
                bid_sz=tuple(batch[name].to_numpy() for name in names[2::4]),
                ask_sz=tuple(batch[name].to_numpy() for name in names[3::4]),
                quality=batch["quality"].to_numpy(),
            )


def _filled(column: pa.Array, none: int) -> Any:
    if column.null_count:
        column = pc.fill_null(column, none)
    return column.to_numpy()


def _nothing(levels: int) -> BookChunk:
    none = (np.empty(0, np.int32),) * levels
    return BookChunk(
        ts=np.empty(0, np.int64),
        bid_px=none,
        ask_px=none,
        bid_sz=none,
        ask_sz=none,
        quality=np.empty(0, np.int16),
    )


def _placed(trades: TradeChunk, before: Ints64) -> TradeChunk:
    return TradeChunk(
        ts=trades.ts, price=trades.price, size=trades.size, sign=trades.sign, before=before
    )


def _read_trades(path: Path) -> TradeChunk:
    with opened(path) as file:
        if file.schema_arrow.remove_metadata() != TRADES:
            raise _foreign(path, "other columns", "the columns of trades")
        columns = ["ts_recv", "price", "size", "aggressor"]
        table = file.read(columns=columns, use_threads=False).combine_chunks()
    if not table.num_rows:
        return no_trades()
    whole = table.to_batches()[0]
    aggressor = whole["aggressor"]
    buyers, sellers = pc.equal(aggressor, "B"), pc.equal(aggressor, "A")
    sign = pc.subtract(buyers.cast(pa.int8()), sellers.cast(pa.int8())).to_numpy()
    ts = np.maximum.accumulate(whole["ts_recv"].cast(pa.int64()).to_numpy())
    return TradeChunk(
        ts=ts,
        price=nearest_unit(nanos_of(whole["price"])),
        size=whole["size"].to_numpy(),
        sign=sign,
        before=np.full(len(ts), -1, np.int64),
    )


def _check_layout(path: Path, schema: pa.Schema, facts: dict[str, str]) -> None:
    if facts.get("contract") != SNAPSHOTS:
        raise _foreign(path, f"contract {facts.get('contract', 'not told')}", SNAPSHOTS)
    version = facts.get("schema_version", "")
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise _foreign(path, f"schema_version {version}", f"schema_version {SCHEMA_VERSION}")
    for key in ("symbol", "day", "on_change", "interval_ms"):
        if key not in facts:
            raise _foreign(path, f"no {key} in the metadata", "all facts of a snapshot file")
    try:
        dt.date.fromisoformat(facts["day"])
        int(facts["interval_ms"])
    except ValueError as error:
        raise _foreign(path, str(error), "a day and milliseconds in the metadata") from error
    for field in snapshot_schema(levels_of(schema)):
        at = schema.get_field_index(field.name)
        if at < 0 or schema.field(at).type != field.type:
            found = "no such column" if at < 0 else str(schema.field(at).type)
            raise _foreign(path, found, f"{field.name} as {field.type}")


def _foreign(path: Path, found: str, expected: str) -> Failure:
    return Failure(
        "The Parquet file is not one of ours",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=expected,
        found=found,
    )
