"""Books from LOBSTER's message and order book files, read side by side.

Format (https://lobsterdata.com/info/DataStructure.php): no header; message rows are seconds after
midnight in New York, type, order id, size, price in 1/10,000 dollar, direction of the resting
order; row i of the order book is the state after message i, four columns a level: ask price, ask
size, bid price, bid size; levels that do not exist have the prices 9999999999 and -9999999999.
"""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, Ints32, Ints64, TradeChunk
from tradingd.level2.choose import the_symbol
from tradingd.level2.form import form_bits
from tradingd.level2.pairing import Chunk, settled
from tradingd.level2.prices import HIGHEST, MOST
from tradingd.session.calendar import NEW_YORK

_NAME: Final = re.compile(
    r"(?P<symbol>[A-Za-z0-9.]+)_(?P<day>\d{4}-\d\d-\d\d)_(?P<window>\d+_\d+_)?"
    r"(?P<kind>message|orderbook)_(?P<levels>\d+)(?P<rest>.*)"
)
_MESSAGE: Final = {
    "seconds": pa.float64(),
    "type": pa.int8(),
    "order": pa.int64(),
    "size": pa.int64(),
    "price": pa.int64(),
    "direction": pa.int8(),
}
_VISIBLE, _HIDDEN, _CROSS = 4, 5, 6
_NO_LEVEL: Final = 9_999_999_999


class LobsterSource:
    """A `BookSource` over a LOBSTER pair; every message is a state.

    Executions of type 4 (visible), 5 (hidden) and 6 (cross) are trades. The aggressor is on the
    other side of the resting order; of hidden executions and crosses it is not told.
    """

    every_change = True
    interval_ns = 0
    has_trades = True

    def __init__(self, path: Path, *, symbol: str = "") -> None:
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise Failure(
                "The CSV file is not named as LOBSTER's are",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(path),
                expected="SYMBOL_YYYY-MM-DD[_start_end]_message_LEVELS.csv or ..._orderbook_...",
                found=path.name,
            )
        self._messages = _sibling(path, match, "message")
        self._books = _sibling(path, match, "orderbook")
        self.symbol = the_symbol(path, [match["symbol"]], symbol)
        self.day = dt.date.fromisoformat(match["day"])
        self.levels = int(match["levels"])
        self.label = f"{self._messages.name} (LOBSTER, {self.levels} levels)"

    def facts(self) -> dict[str, Any]:
        """Return what the names of the files say."""
        return {
            "kind": "lobster",
            "messages": self._messages.name,
            "books": self._books.name,
            "day": self.day.isoformat(),
            "levels": self.levels,
        }

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        """Yield states and trades, as `BookSource.chunks` says."""
        return settled(self._chunks(rows))

    def _chunks(self, rows: int) -> Iterator[Chunk]:
        columns = {f"c{n}": pa.int64() for n in range(4 * self.levels)}
        messages = _pieces(self._messages, _MESSAGE, rows)
        books = _pieces(self._books, columns, rows)
        count = 0
        latest = 0
        while True:
            message, book = next(messages, None), next(books, None)
            told = 0 if message is None else message.num_rows
            shown = 0 if book is None else book.num_rows
            if told != shown:
                raise self._unequal(count + min(told, shown), told > shown)
            if message is None or book is None:
                return
            chunk = self._chunk(message, book, count)
            self._check_times(chunk[0].ts, latest, count)
            latest = int(chunk[0].ts[-1])
            count += told
            yield chunk

    def _chunk(self, message: pa.Table, book: pa.Table, count: int) -> Chunk:
        ts = self._times(message["seconds"].to_numpy())
        sides: list[tuple[Ints32, ...]] = []
        for first, none in ((2, NO_BID), (0, NO_ASK), (3, None), (1, None)):
            sides.append(
                tuple(
                    self._stored(book[f"c{at}"].to_numpy(), none, count)
                    for at in range(first, 4 * self.levels, 4)
                )
            )
        bid_px, ask_px, bid_sz, ask_sz = sides
        states = BookChunk(
            ts=ts,
            bid_px=bid_px,
            ask_px=ask_px,
            bid_sz=bid_sz,
            ask_sz=ask_sz,
            quality=form_bits(bid_px, ask_px),
        )
        return states, _executions(message, ts)

    def _times(self, seconds: Any) -> Ints64:
        """Return UTC ns: exact, since a double holds a day's seconds to 1e-11."""
        midnight = dt.datetime.combine(self.day, dt.time(), tzinfo=NEW_YORK)
        after: Ints64 = np.rint(seconds * NANOSECONDS).astype(np.int64)
        return after + int(midnight.timestamp()) * NANOSECONDS

    def _stored(self, values: Ints64, none: int | None, count: int) -> Ints32:
        wrong = (values < 0) | (values > MOST)
        if none is not None:
            missing = np.abs(values) == _NO_LEVEL
            wrong = ((values <= 0) | (values > HIGHEST)) & ~missing
            values = np.where(missing, none, values)
        if wrong.any():
            at = int(wrong.argmax())
            raise self._invalid(count + at, f"{values[at]}")
        return values.astype(np.int32)

    def _check_times(self, ts: Ints64, latest: int, count: int) -> None:
        back = np.diff(ts, prepend=latest) < 0
        if back.any():
            raise self._invalid(count + int(back.argmax()), "a time before the row above")

    def _invalid(self, row: int, found: str) -> Failure:
        return Failure(
            "A row of a LOBSTER file cannot be used",
            code=ExitCode.INVALID_ROW,
            where=f"{self._books.name}, {self._messages.name}, row {row + 1}",
            found=found,
        )

    def _unequal(self, rows: int, more_messages: bool) -> Failure:
        longer, shorter = self._messages.name, self._books.name
        if not more_messages:
            longer, shorter = shorter, longer
        return Failure(
            "The LOBSTER files do not belong together: one is longer",
            code=ExitCode.INVALID_ROW,
            where=str(self._messages.parent),
            expected="a row of the order book for every message",
            found=f"{shorter} ends after row {rows}, {longer} goes on",
            next_step="fetch both again",
        )


def _executions(message: pa.Table, ts: Ints64) -> TradeChunk:
    kinds = message["type"].to_numpy()
    where = np.flatnonzero(np.isin(kinds, (_VISIBLE, _HIDDEN, _CROSS)))
    visible = kinds[where] == _VISIBLE
    resting = message["direction"].to_numpy()[where]
    return TradeChunk(
        ts=ts[where],
        price=message["price"].to_numpy()[where],
        size=message["size"].to_numpy()[where],
        sign=np.where(visible, -resting, 0).astype(np.int8),
        before=(where - 1).astype(np.int64),
    )


def _sibling(path: Path, match: re.Match[str], kind: str) -> Path:
    head = f"{match['symbol']}_{match['day']}_{match['window'] or ''}"
    sibling = path.with_name(f"{head}{kind}_{match['levels']}{match['rest']}")
    if not sibling.is_file():
        raise Failure(
            f"The {kind} file of the LOBSTER pair is missing",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(sibling),
            next_step="put both files of the day into one folder",
        )
    return sibling


def _pieces(path: Path, columns: dict[str, pa.DataType], rows: int) -> Iterator[pa.Table]:
    """Yield tables of `rows` rows, the last one shorter, whatever blocks the CSV comes in."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in _batches(path, columns):
        held.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(held)
            yield table.slice(0, rows)
            held = table.slice(rows).to_batches()
            count -= rows
    if count:
        yield pa.Table.from_batches(held)


def _batches(path: Path, columns: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    options = csv.ConvertOptions(column_types=columns, null_values=[])
    names = csv.ReadOptions(column_names=list(columns), use_threads=False)
    rows = 0
    try:
        reader = csv.open_csv(path, read_options=names, convert_options=options)
        for batch in reader:
            rows += batch.num_rows
            yield batch
    except pa.ArrowInvalid as error:
        if not path.stat().st_size or "Empty CSV" in str(error):
            return
        raise Failure(
            "A row of a LOBSTER file cannot be read",
            code=ExitCode.INVALID_ROW,
            where=f"{path}, after row {rows}",
            found=str(error),
        ) from error
    except OSError as error:
        raise Failure(
            "The file is damaged or cut",
            code=ExitCode.DAMAGED_ARCHIVE,
            where=f"{path}, after row {rows}",
            found=str(error),
            next_step="fetch it again",
        ) from error
