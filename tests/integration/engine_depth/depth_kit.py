"""Hand-made books and trades through a whole run: times in milliseconds after the open."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from tests.integration.engine.engine_kit import (
    CALENDAR,
    CASH,
    OPEN,
    Borrow,
    PerShare,
    Ran,
    Tables,
    session_open,
)
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import StrategyBase
from tradingd.domain.market import CorporateAction, Instrument, ReferenceData
from tradingd.domain.money import nanos
from tradingd.engine.backtest import BacktestPlan, run_book_backtest
from tradingd.engine.books.stream import BookSlice, BookStream
from tradingd.engine.books.view import DepthView
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, BookSource, TradeChunk

DAY = "2024-01-16"
WEDNESDAY = "2024-01-17"
MS = 1_000_000
LEVELS = 3


def at(milliseconds: float, day: str = DAY) -> int:
    """Return the UTC ns so many milliseconds after the session's open."""
    return session_open(day) + round(milliseconds * MS)


class Shown(msgspec.Struct, frozen=True):
    """A book: (price, size) from the best, prices as decimal text or numbers."""

    ms: float
    bids: tuple[tuple[object, int], ...] = ()
    asks: tuple[tuple[object, int], ...] = ()
    quality: int = 0


class Traded(msgspec.Struct, frozen=True):
    """A trade; `sign` +1 a buyer took, -1 a seller, 0 not told."""

    ms: float
    price: object
    size: int
    sign: int = -1


BIDS = ((100.00, 100), (99.99, 200), (99.98, 300))
ASKS = ((100.01, 50), (100.02, 70), (100.03, 300))


def shown(ms: float, bids: Any = BIDS, asks: Any = ASKS, quality: int = 0) -> Shown:
    return Shown(ms, tuple(bids), tuple(asks), quality)


class MadeBooks:
    """A `BookSource` of records in memory, in their order."""

    def __init__(
        self, records: Sequence[Shown | Traded], symbol: str = "AAA", day: str = DAY
    ) -> None:
        self.label = f"made {symbol}"
        self.symbol = symbol
        self.day = dt.date.fromisoformat(day)
        self.levels = LEVELS
        self.every_change = True
        self.interval_ns = 0
        self.has_trades = True
        self._name = day
        self._records = list(records)

    def facts(self) -> dict[str, Any]:
        return {}

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        books: list[Shown] = []
        trades: list[tuple[Traded, int]] = []
        for record in self._records:
            if isinstance(record, Traded):
                trades.append((record, len(books) - 1))
                continue
            if len(books) == rows:
                # What comes after the last book of a chunk belongs to the next.
                later = [(one, -1) for one, before in trades if before == rows - 1]
                yield self._chunk(books, [one for one in trades if one[1] < rows - 1])
                books, trades = [], later
            books.append(record)
        if books:
            yield self._chunk(books, trades)

    def _chunk(self, books: list[Shown], trades: list[tuple[Traded, int]]) -> Any:
        def column(side: str, level: int, part: int, missing: int) -> Any:
            values = []
            for book in books:
                rows = getattr(book, side)
                there = level < len(rows)
                value = rows[level][part] if there else missing
                values.append(units(value) if part == 0 and there else value)
            return np.array(values, np.int32)

        levels = range(self.levels)
        return BookChunk(
            ts=np.array([at(book.ms, self._name) for book in books], np.int64),
            bid_px=tuple(column("bids", level, 0, NO_BID) for level in levels),
            ask_px=tuple(column("asks", level, 0, NO_ASK) for level in levels),
            bid_sz=tuple(column("bids", level, 1, 0) for level in levels),
            ask_sz=tuple(column("asks", level, 1, 0) for level in levels),
            quality=np.array([book.quality for book in books], np.int16),
        ), TradeChunk(
            ts=np.array([at(trade.ms, self._name) for trade, _ in trades], np.int64),
            price=np.array([units(trade.price) for trade, _ in trades], np.int64),
            size=np.array([trade.size for trade, _ in trades], np.int64),
            sign=np.array([trade.sign for trade, _ in trades], np.int8),
            before=np.array([before for _, before in trades], np.int64),
        )


def units(price: object) -> int:
    """Return a price in 1/10,000 dollar."""
    return nanos(str(price)) // 100_000


class MadeFeed:
    """A `BookFeed` over sources in memory."""

    def __init__(
        self, sources: Sequence[BookSource], rows: int, actions: Sequence[CorporateAction] = ()
    ) -> None:
        self._sources = list(sources)
        self._actions = list(actions)
        self.stream = BookStream(sources, rows)

    def symbols(self) -> Sequence[str]:
        return sorted({one.symbol for one in self._sources})

    def instruments(self) -> Sequence[Instrument]:
        return [Instrument(symbol=symbol) for symbol in self.symbols()]

    def actions(self) -> Sequence[CorporateAction]:
        return self._actions

    def slices(self) -> Iterator[BookSlice]:
        return self.stream.slices()


class BookScript(Strategy):
    """Runs a function per book number (over all symbols), and keeps what it saw."""

    def __init__(self, steps: dict[int, Callable[["BookScript"], object]] | None = None) -> None:
        super().__init__(StrategyBase())
        self.steps = steps or {}
        self.books: list[tuple[str, int]] = []
        self.views: list[DepthView] = []
        self.said: list[object] = []

    def on_depth(self, book: DepthView) -> None:
        number = len(self.books)
        self.books.append((book.symbol, book.ts))
        self.views.append(book)
        step = self.steps.get(number)
        if step is not None:
            self.said.append(step(self))


def run_books(
    strategy: Strategy,
    records: Sequence[Shown | Traded] | Sequence[BookSource],
    *,
    limits: RiskConfig = OPEN,
    latency_ms: int = 0,
    rows: int = 8_192,
    fees: PerShare | None = None,
    equity_every: int = 60,
    actions: Sequence[CorporateAction] = (),
) -> Ran:
    """Run a strategy over records of one symbol, or over sources."""
    sources: list[Any] = list(records)
    if sources and isinstance(sources[0], Shown | Traded):
        sources = [MadeBooks(sources)]
    book = Book(CASH)
    tables = Tables()
    outcome = run_book_backtest(
        plan=BacktestPlan(
            cash=CASH,
            latency_ms=latency_ms,
            participation_percent=10.0,
            account="margin",
            equity_every=equity_every,
            seed=1,
        ),
        feed=MadeFeed(sources, rows, actions),
        strategy=strategy,
        gate=Gate(limits, book, reference=ReferenceData(), account="margin", bar_seconds=60),
        book=book,
        commissions=fees or PerShare(),
        borrow=Borrow(),
        calendar=CALENDAR,
        recorder=tables,
    )
    return Ran(outcome, tables, book)


def got(ran: Ran) -> list[tuple[float, str, int, str]]:
    """Return the fills as (milliseconds, side, shares, price)."""
    first = session_open(DAY)
    return [
        ((fill.ts - first) / MS, fill.side.value, fill.quantity, f"{fill.price / 1e9:.4f}")
        for fill in ran.tables.fills
    ]
