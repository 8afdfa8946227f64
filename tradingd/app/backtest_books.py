"""Recorded order books for a backtest: which files a configuration means, as one feed."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from tradingd.config.depth import NoDepth, ReplayDepth
from tradingd.config.execution import MarketStyle
from tradingd.config.mode import BacktestMode
from tradingd.config.system import SystemConfig
from tradingd.config.universe import SymbolsUniverse
from tradingd.domain.market import ActionKind, CorporateAction, Instrument
from tradingd.domain.money import SCALE
from tradingd.engine.books.candles import Candles
from tradingd.engine.books.stream import BookSlice, BookStream
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash, stable_hash
from tradingd.level2.book import NO_BID, BookSource
from tradingd.level2.columns import PRICE_SCALE
from tradingd.level2.layout import PARTS_FOLDER
from tradingd.level2.open import open_book

_DBN = (".dbn", ".dbn.zst")
_OTHER_SCHEMAS = re.compile(r"\.(definition|imbalance|mbo|ohlcv-\w+|statistics|status|trades)\.")
"""Schemas without books, as the vendor's file names tell them."""
_SUB_PENNY = SCALE // 10_000
_LOOK = 1_000
"""Books of a day that are looked at for its price."""

_SNAPSHOTS = "*_snapshots_*.parquet"


def uses_books(config: SystemConfig) -> bool:
    """Tell whether a backtest runs over order books instead of bars."""
    return not isinstance(config.depth, NoDepth)


class Recorded(NamedTuple):
    """One symbol's books of one day, and the files they are read from."""

    source: BookSource
    files: tuple[Path, ...]


class RecordedBooks:
    """The books of a backtest: a `BookFeed` with what a run states of its data."""

    resolution = "book"

    def __init__(
        self,
        recorded: Sequence[Recorded],
        rows: int,
        instruments: Sequence[Instrument],
        dividends: Sequence[CorporateAction],
    ) -> None:
        self._recorded = sorted(recorded, key=lambda one: (one.source.day, one.source.symbol))
        self._stream = BookStream((one.source for one in recorded), rows)
        self._instruments = instruments
        self._dividends = dividends
        self._candles = Candles()

    def symbols(self) -> Sequence[str]:
        """Return the symbols, sorted."""
        return sorted({one.source.symbol for one in self._recorded})

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts, one per symbol."""
        return self._instruments

    def actions(self) -> Sequence[CorporateAction]:
        """Return the dividends that the store knows in these days."""
        return self._dividends

    def slices(self) -> Iterator[BookSlice]:
        """Yield the books, and gather candles of them."""
        for piece in self._stream.slices():
            self._candles.add(piece)
            yield piece

    def prices(self, symbol: str) -> pa.Table:
        """Return minute candles of the mid that has streamed by."""
        return self._candles.table(symbol)

    def fingerprint(self) -> str:
        """Return a hash of the exact files the books are read from."""
        files: list[Any] = [
            (one.source.symbol, str(one.source.day), [file_hash(path) for path in one.files])
            for one in self._recorded
        ]
        return stable_hash({"books": files, "dividends": self._dividends})

    def notes(self) -> list[str]:
        """Return what qualifies the fills of a run over these books."""
        found = [
            "Orders met the recorded books: execution.participation_percent and "
            "execution.slippage do not apply."
        ]
        sources = [one.source for one in self._recorded]
        untold = sorted({one.symbol for one in sources if not one.has_trades})
        if untold:
            found.append(
                f"No trades were recorded of {', '.join(untold)}: a limit that rests fills only "
                "where the other side came to its price."
            )
        grid = sorted({one.symbol for one in sources if not one.every_change})
        if grid:
            found.append(f"The books of {', '.join(grid)} are snapshots on a grid of time.")
        if self._stream.left_out:
            found.append(f"{self._stream.left_out} crossed or disordered books were left out.")
        return found


def open_books(store: Store, config: SystemConfig, mode: BacktestMode) -> RecordedBooks:
    """Open the books that `depth.path` holds for the universe and the days of a run.

    Raises
    ------
    Failure
        CONFIG: order books that are no files, worked orders, two files of one symbol and day, or a
        split between two days. NO_DATA, UNKNOWN_SYMBOL, EMPTY_RANGE: nothing to run over.
        UNREADABLE_INPUT, DAMAGED_ARCHIVE, DAMAGED_PARQUET: as `level2.open`.
    """
    path = _replayed(config)
    if not isinstance(config.execution.style, MarketStyle):
        raise Failure(
            "orders are not worked in a run over order books",
            code=ExitCode.CONFIG,
            where="execution.style",
            expected="market: orders as the strategy sends them",
            found=str(config.execution.style.__struct_config__.tag),
            next_step="state execution=default; a strategy may name its own limits",
        )
    found = _of_days(path, _of_symbols(path, list(_recorded(path)), config), mode)
    symbols = sorted({one.source.symbol for one in found})
    return RecordedBooks(
        found,
        mode.chunk_rows,
        [_ticked(one, found) for one in store.instruments(symbols)],
        _dividends(store, symbols, [one.source.day for one in found]),
    )


def _ticked(instrument: Instrument, found: Sequence[Recorded]) -> Instrument:
    """Return the facts with the tick of prices below a dollar, where its books begin there.

    Source: Regulation NMS rule 612, a hundredth of a cent. A limit at such a book's bid would
    otherwise be rounded to a cent, which is another level.
    """
    mine = (one.source for one in found if one.source.symbol == instrument.symbol)
    if instrument.tick <= _SUB_PENNY or not any(_below_a_dollar(one) for one in mine):
        return instrument
    return msgspec.structs.replace(instrument, tick=_SUB_PENNY)


def _below_a_dollar(source: BookSource) -> bool:
    first = next(iter(source.chunks(_LOOK)), None)
    if first is None:
        return False
    bids = first[0].bid_px[0]
    return bool(((bids > NO_BID) & (bids < PRICE_SCALE)).any())


def _replayed(config: SystemConfig) -> Path:
    if isinstance(config.depth, ReplayDepth):
        return Path(config.depth.path).expanduser()
    raise Failure(
        "a backtest runs over recorded order books",
        code=ExitCode.CONFIG,
        where="depth",
        expected="replay (files), or none (bars)",
        found=str(config.depth.__struct_config__.tag),
        next_step="depth=replay depth.path=FILE_OR_FOLDER",
    )


def _recorded(path: Path) -> Iterator[Recorded]:
    """Yield what a file or a folder holds, a folder's files in the order of their names."""
    if path.is_file():
        yield from _of_file(path, named=True)
        return
    if not path.is_dir():
        raise Failure(
            "no recorded order books",
            code=ExitCode.NO_DATA,
            where=str(path),
            expected="a file or a folder of DBN or snapshot files",
            found="no such file or folder",
            next_step="state depth.path, or fetch books: tradingd backfill l2 --help",
        )
    for file in sorted(path.rglob("*")):
        dbn = file.name.endswith(_DBN) and not _OTHER_SCHEMAS.search(file.name)
        if (dbn or file.match(_SNAPSHOTS)) and file.is_file() and PARTS_FOLDER not in file.parts:
            yield from _of_file(file, named=False)


def _of_file(path: Path, *, named: bool) -> Iterator[Recorded]:
    if not path.name.endswith(_DBN):
        yield Recorded(open_book(path), (path, *_beside(path)))
        return
    from tradingd.vendors.databento.dbn import BOOK_SCHEMAS, DbnFile

    file = DbnFile(path).open()
    if file.schema not in BOOK_SCHEMAS and not named:
        return
    for symbol in file.symbols or ("",):
        yield Recorded(open_book(path, symbol=symbol), (path,))


def _beside(path: Path) -> list[Path]:
    """Return the other files that the books of a file are read from."""
    pairs = (
        ("_snapshots_", "_trades_"),
        ("_message_", "_orderbook_"),
        ("_orderbook_", "_message_"),
    )
    others = [path.with_name(path.name.replace(*pair)) for pair in pairs if pair[0] in path.name]
    return [other for other in others if other.is_file()]


def _of_symbols(path: Path, found: list[Recorded], config: SystemConfig) -> list[Recorded]:
    """Keep the universe's symbols."""
    there = {one.source.symbol for one in found}
    universe = config.universe
    if not isinstance(universe, SymbolsUniverse):
        wanted = there - set(universe.exclude)
    else:
        wanted = set(universe.symbols)
        missing = sorted(wanted - there)
        if missing:
            raise Failure(
                f"no order books of {', '.join(missing)}",
                code=ExitCode.UNKNOWN_SYMBOL,
                where=str(path),
                expected="books of every symbol of the universe",
                found=", ".join(sorted(there)) or "none",
                next_step="leave the symbols out of universe.symbols, or universe=stored for all",
            )
    kept = [one for one in found if one.source.symbol in wanted]
    if kept:
        return kept
    raise Failure(
        "no recorded order books",
        code=ExitCode.NO_DATA,
        where=str(path),
        expected="DBN files of books (.dbn, .dbn.zst) or snapshots (*_snapshots_*.parquet)",
        found="none",
        next_step="state another depth.path",
    )


def _of_days(path: Path, found: list[Recorded], mode: BacktestMode) -> list[Recorded]:
    """Keep the days of the run; each symbol has one file a day."""
    first, last = mode.start or dt.date.min, mode.end or dt.date.max
    kept = [one for one in found if first <= one.source.day <= last]
    if not kept:
        days = sorted({one.source.day for one in found})
        raise Failure(
            "no order books in the range",
            code=ExitCode.EMPTY_RANGE,
            where=str(path),
            expected=f"books from {mode.start or 'the first'} to {mode.end or 'the last'} day",
            found=f"books of {days[0]} to {days[-1]}",
            next_step="change mode.start and mode.end, or leave them out",
        )
    seen: dict[tuple[str, dt.date], Path] = {}
    for one in kept:
        key = (one.source.symbol, one.source.day)
        if key in seen:
            raise Failure(
                f"two files have books of {key[0]} on {key[1]}",
                code=ExitCode.CONFIG,
                where=str(path),
                expected="one file for each symbol and day",
                found=f"{seen[key].name} and {one.files[0].name}",
                next_step="name one of them as depth.path, or keep them in different folders",
            )
        seen[key] = one.files[0]
    return kept


def _dividends(
    store: Store, symbols: Sequence[str], days: Sequence[dt.date]
) -> list[CorporateAction]:
    """Return the dividends between the first and the last day; refuse splits."""
    inside: Callable[[CorporateAction], bool] = lambda one: min(days) < one.ex_date <= max(days)  # noqa: E731
    actions = [one for one in store.actions(symbols) if inside(one)]
    for one in actions:
        if one.kind is ActionKind.SPLIT:
            raise Failure(
                f"{one.symbol} splits on {one.ex_date}, within the days of the order books",
                code=ExitCode.CONFIG,
                where="mode.start, mode.end",
                expected="days on one side of the split: books keep the prices of their day",
                found=f"{min(days)} to {max(days)}",
                next_step=f"run until the day before with mode.end, then from {one.ex_date} on",
            )
    return [one for one in actions if one.kind is ActionKind.DIVIDEND]
