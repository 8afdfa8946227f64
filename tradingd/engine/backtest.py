"""Run one strategy over stored bars: load a chunk, run it, write what happened, forget it."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from tradingd.config.execution import LimitStyle, MarketStyle, StyleConfig
from tradingd.domain.market import Session
from tradingd.domain.money import CENT, Nanos, dollars
from tradingd.domain.ports import BarChunk, BarFeed, BorrowModel, CommissionModel, SlippageModel
from tradingd.domain.records import Recorder
from tradingd.engine.actions import Actions
from tradingd.engine.children import BacktestVenue
from tradingd.engine.desk import Desk
from tradingd.engine.executions import Executions
from tradingd.engine.faults import Faults
from tradingd.engine.fees import VenueFees
from tradingd.engine.fills import VenueFills
from tradingd.engine.ledger import Ledger
from tradingd.engine.liquidity import Liquidity
from tradingd.engine.loader import BarLoader
from tradingd.engine.native import NativeVerbs
from tradingd.engine.observer import Observer
from tradingd.engine.prints import SplitPrints
from tradingd.engine.runtime import Runtime
from tradingd.engine.sessions import Sessions, sample_interval
from tradingd.engine.stops import Stops
from tradingd.engine.strategy import Strategy
from tradingd.engine.stuck import refuse_stuck
from tradingd.engine.tape import Tape
from tradingd.engine.ticket import Ticket
from tradingd.engine.venue import account_cash, bar_type, engine_positions, make_engine
from tradingd.execution.floor import Floor
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


class BacktestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to simulate; money in Nanos.

    `style` works orders without a price of their own; `half_spread_bps` is what bid and ask are
    from the last close then (`execution.touch.half_spread` of the slippage's configuration).
    """

    cash: Nanos
    latency_ms: int
    participation_percent: float
    account: Literal["margin", "cash"]
    equity_every: int
    seed: int
    style: StyleConfig = MarketStyle()
    half_spread_bps: float = 0.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; seconds are CPU time."""

    rows: int
    orders: int
    fills: int
    denials: int
    final_equity: Nanos
    final_cash: Nanos
    open_positions: int
    gate_counts: dict[str, tuple[int, int]]
    first_ts: int
    last_ts: int
    engine_seconds: float
    load_seconds: float


def run_backtest(
    *,
    plan: BacktestPlan,
    feed: BarFeed,
    strategy: Strategy,
    gate: Gate,
    book: Book,
    commissions: CommissionModel,
    slippage: SlippageModel,
    borrow: BorrowModel,
    calendar: SessionCalendar,
    recorder: Recorder,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Outcome:
    """Run a strategy over a feed of bars and return what it did.

    Memory is bounded by the feed's chunks: bars are dropped and closed orders purged after each,
    records go to the recorder as they happen. Open positions stay open and marked at the end;
    working orders expire.

    Raises
    ------
    Failure
        STRATEGY_FAILED, chained to the exception a strategy's handler raised; ENGINE_FAILED when
        our own code failed or book and engine disagree at the end.
    """
    run = _Run(
        plan=plan,
        feed=feed,
        strategy=strategy,
        gate=gate,
        book=book,
        commissions=commissions,
        slippage=slippage,
        borrow=borrow,
        calendar=calendar,
        recorder=recorder,
    )
    try:
        for chunk in feed.chunks():
            run.chunk(chunk)
            progress(run.rows)
            run.check()
        return run.finish()
    finally:
        run.dispose()


class _Run:
    """The parts of one run and the loop over its chunks."""

    def __init__(
        self,
        *,
        plan: BacktestPlan,
        feed: BarFeed,
        strategy: Strategy,
        gate: Gate,
        book: Book,
        commissions: CommissionModel,
        slippage: SlippageModel,
        borrow: BorrowModel,
        calendar: SessionCalendar,
        recorder: Recorder,
    ) -> None:
        self.rows = 0
        self._plan = plan
        self._book = book
        self._gate = gate
        self._strategy = strategy
        self._first_ts = -1
        self._last_ts = -1
        self._engine_seconds = 0.0
        self._load_seconds = 0.0
        self._faults = Faults()
        self._ledger = Ledger(recorder)
        tickets: dict[str, Ticket] = {}
        instruments = feed.instruments()
        ticks = {instrument.symbol: instrument.tick for instrument in instruments}
        bar_types = {symbol: bar_type(symbol, feed.resolution) for symbol in feed.symbols()}
        self._tape = Tape(feed.resolution, calendar)
        self._observer = Observer(slippage, self._tape)
        self._liquidity = liquidity = Liquidity(plan.participation_percent)
        fees = VenueFees(
            commissions=commissions,
            liquidity=liquidity,
            tickets=tickets,
            faults=self._faults,
            now=self._now,
        )
        fills = VenueFills(
            tape=self._tape,
            liquidity=liquidity,
            observer=self._observer,
            ticks=ticks,
            tickets=tickets,
            faults=self._faults,
            now=self._now,
            prompt=not plan.latency_ms,
        )
        desk = Desk(
            strategy=strategy.name,
            gate=gate,
            book=book,
            ledger=self._ledger,
            ticks=ticks,
            tickets=tickets,
            tape=self._tape,
            forget=commissions.forget,
        )
        stops = Stops(desk)
        native = NativeVerbs(desk, stops)
        self._desk, self._native = desk, native
        self._floor = _floor(plan, BacktestVenue(desk, stops, calendar))
        runtime = Runtime(
            bar_types=bar_types,
            book=book,
            desk=desk,
            stops=stops,
            native=native,
            faults=self._faults,
            tape=self._tape,
            latency_ns=plan.latency_ms * 1_000_000,
            floor=self._floor,
        )
        self._runtime = runtime
        guard = runtime.guard
        runtime.executions = Executions(desk, stops, fees, self._tape, strategy.fill_handler(guard))
        runtime.actions = Actions(
            desk, stops, feed.actions(), borrow, self._observer, guard(self._split, "on_split")
        )
        runtime.sessions = Sessions(
            desk,
            runtime.actions,
            calendar,
            sample_interval(plan.equity_every, feed.resolution.nanoseconds),
            guard(strategy.on_session_open, "on_session_open"),
            self._closing(guard(strategy.on_session_close, "on_session_close")),
        )
        self._loader = BarLoader(bar_types)
        self._prints = SplitPrints(feed.actions(), calendar, self._tape, ticks)
        self._engine = make_engine(plan.cash, instruments, fills, fees)
        strategy.bind(runtime)
        self._engine.add_strategy(strategy)

    def chunk(self, chunk: BarChunk) -> None:
        """Load and run one chunk, then drop what is done."""
        started = time.process_time()
        self._observer.chunk_done()
        self._tape.load(chunk.table)
        bars = list(self._loader.bars(chunk.table))
        loaded = time.process_time()
        lanes: list[Sequence[Any]] = [*bars, self._prints.until(chunk.end_ns)]
        for lane in lanes:
            if lane:
                self._engine.add_data(lane, None, False, False)
        del bars, lanes, lane
        self._engine.sort_data()
        if self._first_ts < 0:
            self._first_ts = chunk.start_ns
        else:
            self._runtime.wire.chunk_loaded()
        self._engine.run(streaming=True)
        self._engine.clear_data()
        self._last_ts = chunk.end_ns
        self._refuse_stuck()
        self.rows += chunk.table.num_rows
        self._purge()
        self._ledger.flush()
        self._load_seconds += loaded - started
        self._engine_seconds += time.process_time() - loaded

    def check(self) -> None:
        """Raise the first exception of a handler, if there is one."""
        self._faults.raise_first(self._strategy.name, _stamp)

    def finish(self) -> Outcome:
        """End the run: last close, `on_end`, open orders expired, books compared."""
        runtime = self._runtime
        runtime.sessions.finish(self._last_ts)
        runtime.guard(self._strategy.on_end, "on_end")()
        if self._floor is not None:
            self._floor.stop()
        for ticket in self._desk.all_open():
            self._desk.close(ticket, "EXPIRED")
        self.check()
        self._compare()
        self._engine.end()
        self._ledger.flush()
        counts = self._ledger.counts
        return Outcome(
            rows=self.rows,
            orders=counts.orders,
            fills=counts.fills,
            denials=counts.denials,
            final_equity=self._book.equity,
            final_cash=self._book.cash,
            open_positions=len(self._book.positions()),
            gate_counts=dict(self._gate.count()),
            first_ts=self._first_ts,
            last_ts=self._last_ts,
            engine_seconds=self._engine_seconds,
            load_seconds=self._load_seconds,
        )

    def dispose(self) -> None:
        """Free the engine's memory, all of it.

        The engine's models call back into this run, and the collector cannot see that circle
        through the engine: without the cut every run stays in memory, and the 256th in a process
        is refused ("new guard could not be created").
        """
        self._engine.dispose()
        del self._engine

    def _compare(self) -> None:
        """Refuse a result on which our book and the engine's account disagree.

        Cash that is not a trade (dividends, borrow fees, cash in lieu) is in our book only, so it
        is taken out of the comparison by the sum of its records.
        """
        held = {symbol: line.quantity for symbol, line in self._book.positions().items()}
        positions = engine_positions(self._engine)
        if held != positions:
            _disagree("positions", str(held), str(positions))
        ours = self._book.cash - self._ledger.cash_moved
        theirs = account_cash(self._engine)
        if abs(ours - theirs) > CENT:
            _disagree("cash", dollars(ours), dollars(theirs))

    def _purge(self) -> None:
        self._desk.purge()
        self._native.purge()
        cache = self._engine.cache
        cache.purge_closed_orders(self._last_ts)
        cache.purge_closed_positions(self._last_ts)
        cache.purge_account_events(self._last_ts)

    def _refuse_stuck(self) -> None:
        open_orders = self._desk.all_open()
        if open_orders and self._faults.first is None:
            refuse_stuck(open_orders, self._tape, self._liquidity, self._last_ts)

    def _now(self) -> int:
        return self._runtime.now()

    def _closing(self, on_close: Callable[[Session], None]) -> Callable[[Session], None]:
        """Return what a session's close calls: worked orders are over before strategies act."""
        floor = self._floor
        if floor is None:
            return on_close

        def close(session: Session) -> None:
            floor.closed(session.close_ns)
            on_close(session)

        return close

    def _split(self, symbol: str, numerator: int, denominator: int) -> None:
        if self._floor is not None:
            self._floor.split(symbol, numerator, denominator)
        self._runtime.rescale_tracked(symbol, numerator, denominator)
        self._strategy.on_split(symbol, numerator, denominator)


def _floor(plan: BacktestPlan, venue: BacktestVenue) -> Floor | None:
    """Return what works the orders, None where they go as they are."""
    if not isinstance(plan.style, LimitStyle):
        return None
    floor = Floor(plan.style, venue, half_spread_bps=plan.half_spread_bps)
    venue.connect(floor)
    return floor


def _disagree(what: str, ours: str, theirs: str) -> None:
    raise Failure(
        f"book and engine disagree on {what} at the end of the run",
        code=ExitCode.ENGINE_FAILED,
        expected=f"the book's {ours}",
        found=f"the engine's {theirs}",
        next_step="a bug: do not trust the result; keep the configuration that shows it",
    )


def _stamp(ts: int) -> str:
    moment = dt.datetime.fromtimestamp(ts / 1e9, tz=dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
