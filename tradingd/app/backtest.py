"""Compose one backtest from a configuration and run it: store, engine, gate, costs, results."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

import msgspec
import pyarrow as pa

from tradingd.app.advisor import advised_notes, backtest_advisor, benchmark
from tradingd.app.backtest_books import RecordedBooks, open_books, uses_books
from tradingd.app.provenance import describe_run
from tradingd.app.universe_members import tier_symbols, with_members
from tradingd.config.load import Loaded
from tradingd.config.mode import BacktestMode
from tradingd.config.paths import results_root, store_root
from tradingd.config.system import SystemConfig, strategy_name
from tradingd.config.universe import SymbolsUniverse, TieredUniverse
from tradingd.costs.make import borrow_model, commission_model, slippage_model
from tradingd.domain.advice import Advisor
from tradingd.domain.market import DataKind, ReferenceData, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.ports import BarFeed, CommissionModel
from tradingd.domain.records import Recorder
from tradingd.engine.backtest import BacktestPlan, Outcome, run_backtest, run_book_backtest
from tradingd.engine.books.need import refuse_mismatch
from tradingd.engine.strategy import Strategy
from tradingd.execution.touch import half_spread
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.finish import finish
from tradingd.results.folder import RunFolder
from tradingd.results.metrics import Metrics
from tradingd.results.recorder import RunRecorder
from tradingd.session.calendar import SessionCalendar
from tradingd.strategies.make import make_strategy


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished backtest leaves behind."""

    run_id: str
    folder: str
    tearsheet: str | None
    symbols: int
    data: Literal["bars", "books"]
    outcome: Outcome
    metrics: Metrics


QUIET_BOOK_SECONDS: Final = 60
"""What a minute bar is to a mark's age: a book that is silent for so long has not changed."""

type Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all)."""


def backtest(
    loaded: Loaded, progress: Progress = lambda _done, _all: None, *, sheet: bool = True
) -> BacktestResult:
    """Run the configured backtest and write its run folder, with or without a tear sheet.

    Raises
    ------
    Failure
        Before anything is written for a bad range or symbol; STRATEGY_FAILED or ENGINE_FAILED
        after the run folder was marked as failed.
    """
    mode = backtest_mode(loaded.config)
    store = Store(store_root(loaded.config), loaded.config.store)
    data = open_data(store, loaded.config, mode)
    feed, prices = data.feed, data.prices
    parts = make_parts(loaded.config, store, feed)
    folder = RunFolder.create(
        results_root(loaded.config), strategy_name(loaded.config), loaded.hash, feed.fingerprint()
    )
    recorder = RunRecorder(folder)
    try:
        outcome = data.simulate(parts, recorder, progress)
        recorder.close()
        notes = [*parts.commissions.notes, *data.notes(), *advised_notes(loaded.config, outcome)]
        manifest = describe_run(loaded, folder.run_id, feed, data.resolution, outcome, notes)
        metrics = finish(
            folder,
            manifest=manifest,
            timing={"engine_cpu_s": outcome.engine_seconds, "load_cpu_s": outcome.load_seconds},
            prices=prices if sheet else None,
        )
    except BaseException as error:
        folder.fail(error)
        raise
    return BacktestResult(
        run_id=folder.run_id,
        folder=str(folder.path),
        tearsheet=str(folder.path / "tearsheet.html") if sheet else None,
        symbols=len(feed.symbols()),
        data=data.rows,
        outcome=outcome,
        metrics=metrics,
    )


class Parts(NamedTuple):
    """What a run is built from and what may refuse the configuration: made before any file is."""

    strategy: Strategy
    commissions: CommissionModel
    reference: ReferenceData
    advisor: Advisor | None = None


class Data(NamedTuple):
    """What a run is over, bars or books, and how to run over it."""

    feed: BarFeed | RecordedBooks
    resolution: str
    rows: Literal["bars", "books"]
    prices: Callable[[str], pa.Table]
    notes: Callable[[], Sequence[str]]
    simulate: Callable[[Parts, Recorder, Progress], Outcome]


def open_data(store: Store, config: SystemConfig, mode: BacktestMode) -> Data:
    """Open what the configuration is run over: recorded books where it names some, else bars.

    Raises
    ------
    Failure
        CONFIG for a strategy of the other kind of data, before anything is looked for.
    """
    over_books = uses_books(config)
    strategy = make_strategy(config.strategy)
    refuse_mismatch(strategy.name, needs_books=strategy.needs_books(), has_books=over_books)
    if over_books:
        books = open_books(store, config, mode)
        return Data(
            feed=books,
            resolution=books.resolution,
            rows="books",
            prices=books.prices,
            notes=books.notes,
            simulate=lambda parts, recorder, progress: simulate_books(
                config, mode, parts, books, recorder, progress
            ),
        )
    feed = open_feed(store, config, mode)
    return Data(
        feed=feed,
        resolution=feed.resolution.value,
        rows="bars",
        prices=partial(stored_prices, store, feed.resolution, mode),
        notes=lambda: (),
        simulate=lambda parts, recorder, progress: simulate(
            config, mode, parts, feed, recorder, progress
        ),
    )


def make_parts(config: SystemConfig, store: Store, feed: BarFeed | RecordedBooks) -> Parts:
    """Build a run's strategy, costs and model and read its reference data."""
    return Parts(
        make_strategy(config.strategy),
        commission_model(config.broker.fees),
        _reference(config, store, feed.symbols()),
        backtest_advisor(config, store, feed.symbols(), backtest_mode(config)),
    )


def simulate(
    config: SystemConfig,
    mode: BacktestMode,
    parts: Parts,
    feed: BarFeed,
    recorder: Recorder,
    progress: Progress,
) -> Outcome:
    """Run the engine over the feed with a book and a gate of this run's own."""
    random.seed(config.seed)
    book = Book(nanos(mode.cash))
    total = feed.rows()
    return run_backtest(
        plan=make_plan(config, mode, parts.reference.watched),
        feed=feed,
        strategy=parts.strategy,
        gate=make_gate(config, parts, book, feed.resolution.nanoseconds // 1_000_000_000),
        book=book,
        commissions=parts.commissions,
        slippage=slippage_model(config.execution.slippage),
        borrow=borrow_model(config.broker.borrow_rate),
        calendar=SessionCalendar(config.session.calendar),
        recorder=recorder,
        progress=lambda done: progress(done, total),
        advisor=parts.advisor,
    )


def simulate_books(
    config: SystemConfig,
    mode: BacktestMode,
    parts: Parts,
    books: RecordedBooks,
    recorder: Recorder,
    progress: Progress,
) -> Outcome:
    """Run the engine over recorded books with a book and a gate of this run's own."""
    random.seed(config.seed)
    book = Book(nanos(mode.cash))
    return run_book_backtest(
        plan=make_plan(config, mode, parts.reference.watched),
        feed=books,
        strategy=parts.strategy,
        gate=make_gate(config, parts, book, QUIET_BOOK_SECONDS),
        book=book,
        commissions=parts.commissions,
        borrow=borrow_model(config.broker.borrow_rate),
        calendar=SessionCalendar(config.session.calendar),
        recorder=recorder,
        # How many books a file has is known only after reading it.
        progress=lambda done: progress(done, 0),
    )


def _reference(config: SystemConfig, store: Store, symbols: Sequence[str]) -> ReferenceData:
    """Return what the gate knows beside prices; a benchmark that is not traded is watched."""
    found = with_members(store.reference(symbols), store, config, time.time_ns())
    return msgspec.structs.replace(found, watched=benchmark(config) - set(symbols))


def make_plan(
    config: SystemConfig, mode: BacktestMode, watched: frozenset[str] = frozenset()
) -> BacktestPlan:
    """Return how to simulate, from the configuration."""
    return BacktestPlan(
        cash=nanos(mode.cash),
        latency_ms=config.execution.latency_ms,
        participation_percent=config.execution.participation_percent,
        account=config.broker.account,
        equity_every=mode.equity_every,
        seed=config.seed,
        style=config.execution.style,
        half_spread_bps=half_spread(config.execution.slippage),
        watched=watched,
    )


def make_gate(config: SystemConfig, parts: Parts, book: Book, bar_seconds: int) -> Gate:
    """Return the gate of a run."""
    return Gate(
        config.risk,
        book,
        reference=parts.reference,
        account=config.broker.account,
        bar_seconds=bar_seconds,
        broker=str(config.broker.__struct_config__.tag),
    )


def stored_prices(
    store: Store, resolution: Resolution, mode: BacktestMode, symbol: str
) -> pa.Table:
    """Read a symbol's bars of the run for the plot of trades on prices."""
    return store.read(DataKind.BARS, symbol, resolution, mode.start, mode.end)


def backtest_mode(config: SystemConfig) -> BacktestMode:
    """Return the backtest settings, or refuse another mode."""
    if isinstance(config.mode, BacktestMode):
        return config.mode
    raise Failure(
        "a backtest needs mode=backtest",
        code=ExitCode.CONFIG,
        where="mode",
        expected="backtest",
        found=type(config.mode).__name__,
        next_step="leave mode out, or state mode=backtest",
    )


def open_feed(store: Store, config: SystemConfig, mode: BacktestMode) -> BarFeed:
    """Open the bars of the universe at the strategy's resolution."""
    resolution = Resolution(config.strategy.bars)
    calendar = SessionCalendar(config.session.calendar)
    return store.feed(
        universe_symbols(store, config, resolution),
        resolution,
        mode.start,
        mode.end,
        chunk_rows=mode.chunk_rows,
        sessions=calendar if config.session.regular_only else None,
    )


def universe_symbols(store: Store, config: SystemConfig, resolution: Resolution) -> Sequence[str]:
    """Return the symbols a run trades, sorted; by tiers, those of any of its days."""
    if isinstance(config.universe, SymbolsUniverse):
        return sorted(set(config.universe.symbols))
    if isinstance(config.universe, TieredUniverse):
        return tier_symbols(store, config, time.time_ns())
    stored = set(store.symbols(DataKind.BARS, resolution)) - set(config.universe.exclude)
    if stored:
        return sorted(stored)
    raise Failure(
        f"the history store holds no {resolution} bars",
        code=ExitCode.NO_DATA,
        where=str(store.root),
        expected=f"bars at resolution {resolution} (strategy.bars, features.bars)",
        found="none",
        next_step="tradingd data import source=sample (or another source), then try again",
    )
