"""The parts of one backtest and the loop over its chunks: load, run, write, forget."""

import datetime as dt
import time
from collections.abc import Callable, Iterable

import msgspec

from tradingd.config.execution import LimitStyle
from tradingd.domain.advice import Advisor
from tradingd.domain.market import Session
from tradingd.domain.money import CENT, Nanos, dollars
from tradingd.domain.ports import BorrowModel, CommissionModel
from tradingd.domain.records import Recorder
from tradingd.engine.actions import Actions
from tradingd.engine.advising import Advising
from tradingd.engine.children import BacktestVenue
from tradingd.engine.executions import Executions
from tradingd.engine.faults import Faults
from tradingd.engine.ledger import Ledger
from tradingd.engine.market import Chunk, Market, Shared
from tradingd.engine.native import NativeVerbs
from tradingd.engine.plan import BacktestPlan
from tradingd.engine.runtime import Runtime
from tradingd.engine.sessions import Sessions
from tradingd.engine.stops import Stops
from tradingd.engine.strategy import Strategy
from tradingd.engine.ticket import Ticket
from tradingd.engine.venue import account_cash, engine_positions
from tradingd.execution.floor import Floor
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; seconds are CPU time.

    `advised` counts the model's answers by the reason of the abstention, empty for an opinion.
    """

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
    advised: dict[str, int] = {}


class Run[C: Chunk]:
    """The parts of one run and the loop over its chunks."""

    def __init__(
        self,
        *,
        market: Callable[[Shared], Market[C]],
        plan: BacktestPlan,
        strategy: Strategy,
        gate: Gate,
        book: Book,
        commissions: CommissionModel,
        borrow: BorrowModel,
        calendar: SessionCalendar,
        recorder: Recorder,
        advisor: Advisor | None = None,
    ) -> None:
        self.rows = 0
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
        self._market = traded = market(
            Shared(plan, calendar, commissions, book, tickets, self._faults, self._now)
        )
        desk = traded.desk(
            strategy=strategy.name,
            gate=gate,
            book=book,
            ledger=self._ledger,
            ticks={**dict.fromkeys(plan.watched, CENT), **traded.ticks},
            tickets=tickets,
            tape=traded.prices,
            forget=commissions.forget,
        )
        traded.connect(desk)
        stops = Stops(desk)
        native = NativeVerbs(desk, stops)
        self._desk, self._native = desk, native
        self._floor = _floor(plan, BacktestVenue(desk, stops, calendar))
        self._runtime = runtime = Runtime(
            bar_types=traded.bar_types,
            books=traded.books,
            book=book,
            desk=desk,
            stops=stops,
            native=native,
            faults=self._faults,
            wire=traded.wire,
            floor=self._floor,
            advising=Advising(advisor),
        )
        guard = runtime.guard
        runtime.executions = Executions(
            desk, stops, traded.fees, traded.prices, strategy.fill_handler(guard)
        )
        runtime.actions = Actions(
            desk,
            stops,
            traded.actions(),
            borrow,
            traded.restate,
            guard(self._split, "on_split"),
        )
        runtime.sessions = Sessions(
            desk,
            runtime.actions,
            calendar,
            traded.sample_ns,
            guard(strategy.on_session_open, "on_session_open"),
            self._closing(guard(strategy.on_session_close, "on_session_close")),
        )
        strategy.bind(runtime)
        self._engine = traded.engine()
        self._engine.add_strategy(strategy)

    def over(self, chunks: Iterable[C], progress: Callable[[int], None]) -> Outcome:
        """Run every chunk, then end the run; the engine's memory is freed whatever happens."""
        try:
            for chunk in chunks:
                self.chunk(chunk)
                progress(self.rows)
                self.check()
            return self.finish()
        finally:
            self.dispose()

    def chunk(self, chunk: C) -> None:
        """Load and run one chunk, then drop what is done."""
        started = time.process_time()
        lanes = self._market.load(chunk)
        loaded = time.process_time()
        for lane in lanes:
            if lane:
                self._engine.add_data(lane, None, False, False)
        del lanes, lane
        self._engine.sort_data()
        if self._first_ts < 0:
            self._first_ts = chunk.start_ns
        else:
            self._runtime.wire.chunk_loaded()
        self._engine.run(streaming=True)
        self._engine.clear_data()
        self._last_ts = chunk.end_ns
        self._look_back()
        self.rows += self._market.rows(chunk)
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
            advised=dict(self._runtime.advising.answers),
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

    def _look_back(self) -> None:
        open_orders = self._desk.all_open()
        if open_orders and self._faults.first is None:
            self._market.ran(open_orders, self._last_ts)

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
