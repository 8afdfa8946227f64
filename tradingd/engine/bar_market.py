"""A run over bars: fills by the rules of `fills`, on one synthetic level per order."""

from collections.abc import Callable, Sequence
from typing import Any

from nautilus_trader.backtest import BacktestEngine

from tradingd.domain.market import CorporateAction
from tradingd.domain.ports import BarChunk, BarFeed, SlippageModel
from tradingd.engine.desk import Desk
from tradingd.engine.fees import VenueFees
from tradingd.engine.fills import VenueFills
from tradingd.engine.liquidity import Liquidity
from tradingd.engine.loader import BarLoader
from tradingd.engine.market import Alert, Shared
from tradingd.engine.observer import Observer
from tradingd.engine.prints import SplitPrints
from tradingd.engine.sessions import sample_interval
from tradingd.engine.stuck import refuse_stuck
from tradingd.engine.tape import Tape
from tradingd.engine.ticket import Ticket
from tradingd.engine.venue import bar_type, make_engine
from tradingd.engine.wire import BarWire


class BarMarket:
    """Bars of a feed, traded with slippage and a participation cap."""

    desk = Desk
    books = None

    def __init__(self, shared: Shared, feed: BarFeed, slippage: SlippageModel) -> None:
        plan = shared.plan
        self.ticks = {one.symbol: one.tick for one in feed.instruments()}
        self.bar_types = {symbol: bar_type(symbol, feed.resolution) for symbol in feed.symbols()}
        self.sample_ns = sample_interval(plan.equity_every, feed.resolution.nanoseconds)
        self._feed = feed
        self._cash = plan.cash
        self._latency_ns = plan.latency_ms * 1_000_000
        self.prices = self._tape = Tape(feed.resolution, shared.calendar)
        self._observer = Observer(slippage, self._tape)
        self._liquidity = liquidity = Liquidity(plan.participation_percent)
        self.fees = VenueFees(
            commissions=shared.commissions,
            take=lambda ticket, quantity: liquidity.take(ticket.symbol, ticket.bar, quantity),
            tickets=shared.tickets,
            faults=shared.faults,
            now=shared.now,
        )
        self._fills = VenueFills(
            tape=self._tape,
            liquidity=liquidity,
            observer=self._observer,
            ticks=self.ticks,
            tickets=shared.tickets,
            faults=shared.faults,
            now=shared.now,
            prompt=not plan.latency_ms,
        )
        self._loader = BarLoader(self.bar_types)
        self._prints = SplitPrints(feed.actions(), shared.calendar, self._tape, self.ticks)

    def connect(self, desk: Desk) -> None:
        """Need no desk."""

    def wire(self, alert: Alert, now: Callable[[], int]) -> BarWire:
        """Return a wire that delivers when a bar is there."""
        return BarWire(self._tape, self._latency_ns, alert=alert, now=now)

    def engine(self) -> BacktestEngine:
        """Return an engine with the bars' venue."""
        return make_engine(self._cash, self._feed.instruments(), self._fills, self.fees)

    def actions(self) -> Sequence[CorporateAction]:
        """Return the feed's corporate actions."""
        return self._feed.actions()

    def restate(self, symbol: str, now: int, numerator: int, denominator: int) -> None:
        """Restate the slippage model's memory."""
        self._observer.split(symbol, now, numerator, denominator)

    def load(self, chunk: BarChunk) -> list[Sequence[Any]]:
        """Return each symbol's bars, and the prints that restate prices after splits."""
        self._observer.chunk_done()
        self._tape.load(chunk.table)
        return [*self._loader.bars(chunk.table), self._prints.until(chunk.end_ns)]

    def rows(self, chunk: BarChunk) -> int:
        """Return the bars of a chunk."""
        return int(chunk.table.num_rows)

    def ran(self, open_orders: list[Ticket], until: int) -> None:
        """Refuse market orders that no bar will ever fill."""
        refuse_stuck(open_orders, self._tape, self._liquidity, until)
