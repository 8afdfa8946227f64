"""A run over order books: recorded levels and trades, met by orders through gate and wire."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nautilus_trader.backtest import BacktestEngine
from nautilus_trader.model import BarType, InstrumentId

from tradingd.domain.market import CorporateAction, Resolution
from tradingd.domain.orders import OrderType
from tradingd.engine.books.desk import BookDesk
from tradingd.engine.books.fills import BookFills
from tradingd.engine.books.loader import DepthLoader
from tradingd.engine.books.stream import BookFeed, BookSlice
from tradingd.engine.books.tape import BookTape
from tradingd.engine.books.view import DepthView
from tradingd.engine.books.wire import BookWire
from tradingd.engine.desk import Desk
from tradingd.engine.fees import VenueFees
from tradingd.engine.market import Alert, Shared
from tradingd.engine.sessions import sample_interval
from tradingd.engine.ticket import Ticket
from tradingd.engine.venue import instrument_id, make_engine
from tradingd.kits.failure import ExitCode, Failure


class BookMarket:
    """Recorded books of a feed, each displayed share given once."""

    desk = BookDesk
    bar_types: Mapping[str, BarType] = {}

    def __init__(self, shared: Shared, feed: BookFeed) -> None:
        plan = shared.plan
        self.ticks = {one.symbol: one.tick for one in feed.instruments()}
        self.sample_ns = sample_interval(plan.equity_every, Resolution.SECOND.nanoseconds)
        self.ids: dict[InstrumentId, str] = {instrument_id(one): one for one in feed.symbols()}
        self.prices = self._tape = BookTape()
        self._feed = feed
        self._book = shared.book
        self._faults = shared.faults
        self._now = shared.now
        self._cash = plan.cash
        self._latency_ns = plan.latency_ms * 1_000_000
        self._views: dict[str, Callable[[], DepthView]] = {}
        self._wire: BookWire
        self._desk: BookDesk
        self._fills = BookFills(
            tape=self._tape, tickets=shared.tickets, faults=shared.faults, now=shared.now
        )
        self.fees = VenueFees(
            commissions=shared.commissions,
            take=self._fills.took,
            tickets=shared.tickets,
            faults=shared.faults,
            now=shared.now,
        )
        self._loader = DepthLoader({symbol: one for one, symbol in self.ids.items()})

    @property
    def books(self) -> "BookMarket":
        """What strategies hear: this."""
        return self

    def connect(self, desk: Desk) -> None:
        """Take the desk, and tell it when the book can meet an order."""
        assert isinstance(desk, BookDesk)
        self._desk = desk
        desk.meeting = self

    def wire(self, alert: Alert, now: Callable[[], int]) -> BookWire:
        """Return a wire that delivers after the latency alone."""
        self._wire = BookWire(self._latency_ns, alert=alert, now=now)
        return self._wire

    def engine(self) -> BacktestEngine:
        """Return an engine with a venue of aggregated books and queues."""
        return make_engine(self._cash, self._feed.instruments(), self._fills, self.fees, books=True)

    def actions(self) -> Sequence[CorporateAction]:
        """Return the feed's dividends."""
        return self._feed.actions()

    def restate(self, symbol: str, now: int, numerator: int, denominator: int) -> None:
        """Refuse a split: resting orders and recorded books could not be restated together."""
        raise Failure(
            "a split inside a run over order books",
            code=ExitCode.ENGINE_FAILED,
            where=symbol,
            expected="days of books without a split: they are refused before a run begins",
            found=f"{numerator} for {denominator}",
        )

    def load(self, piece: BookSlice) -> list[Sequence[Any]]:
        """Return each symbol's books and trades."""
        self._fills.chunk_done()
        lanes = self._tape.load(piece)
        self._views = {symbol: lane.views().__next__ for symbol, lane in lanes.items()}
        return [part for lane in piece.lanes for part in self._loader.lanes(lane)]

    def rows(self, piece: BookSlice) -> int:
        """Return the books of a slice."""
        return piece.rows

    def ran(self, open_orders: list[Ticket], until: int) -> None:
        """Refuse nothing: an order may wait for liquidity as long as there is none."""

    def meets(self, ticket: Ticket) -> bool:
        """Tell whether the book can meet an order: something to take, or a level to join."""
        found = self._tape.at(ticket.symbol, self._now())
        if found is None:
            return False
        if ticket.stop is not None and not ticket.elected:
            return True
        if self._fills.takeable(ticket):
            return True
        if ticket.limit is None or ticket.type is OrderType.MARKET:
            return False
        return _in_view(DepthView(*found), ticket)

    def handler(self, on_depth: Callable[[DepthView], None]) -> Callable[[Any], None]:
        """Return what the engine calls for every book.

        Marks what is held at the mid, sends on what waited for a book, then tells the strategy.
        """
        ids, faults, now = self.ids, self._faults, self._now
        line_of, mark = self._book.positions().get, self._book.mark_held
        only = next(iter(ids.values())) if len(ids) == 1 else None

        def handle(depth: Any) -> None:
            try:
                symbol = only or ids[depth.instrument_id]
                book = self._views[symbol]()
                line = line_of(symbol)
                if line is not None:
                    mid = book.mid
                    if mid is not None:
                        mark(line, mid, book.ts)
                if self._wire.waiting:
                    self._wire.heard(symbol)
                if book.mid is None and book.empty:
                    self._desk.rejoin(symbol)
                on_depth(book)
            except BaseException as error:  # noqa: BLE001 - the engine would swallow it
                faults.record("on_depth", now(), error)

        return handle


def _in_view(book: DepthView, ticket: Ticket) -> bool:
    """Tell whether a limit's price lies among the levels that the book shows of its side.

    A side with fewer levels than the data can show is known to its end.
    """
    assert ticket.limit is not None
    worst = book.bid(book.levels - 1) if ticket.side.sign > 0 else book.ask(book.levels - 1)
    if book.empty:
        return False
    return worst is None or (ticket.limit - worst) * ticket.side.sign >= 0
