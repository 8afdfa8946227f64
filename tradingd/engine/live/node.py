"""Strategies in a NautilusTrader node inside our loop: bars in, wishes to the shim out."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nautilus_trader.common import CacheConfig, Environment, LoggerConfig
from nautilus_trader.config import (
    DataClientConfig,
    ExecutionClientConfig,
    LiveExecutionEngineConfig,
    LiveNodeConfig,
    LiveRiskEngineConfig,
)
from nautilus_trader.live import LiveNodeBuilder
from nautilus_trader.model import BarType, TraderId

from tradingd.config.execution import LimitStyle, MarketStyle, StyleConfig
from tradingd.domain.feed import Batch
from tradingd.domain.journal import Journal
from tradingd.domain.market import ActionKind, CorporateAction, Instrument, Resolution, Session
from tradingd.domain.trading import OrderEvent, OrderShim
from tradingd.engine.live.bars import Delivery, engine_ended
from tradingd.engine.live.children import LiveVenue, Orphans, tell
from tradingd.engine.live.clients import NAME, Bars, Orders
from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.diary import Diary
from tradingd.engine.live.hearing import Hearing
from tradingd.engine.live.intercept import Interception
from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.native import LiveNative
from tradingd.engine.live.present import Present
from tradingd.engine.live.runtime import LiveRuntime
from tradingd.engine.live.sessions import LiveSessions
from tradingd.engine.live.working import OwnedBook, OwnedStops, Working
from tradingd.engine.sessions import sample_interval
from tradingd.engine.strategy import Strategy
from tradingd.engine.venue import bar_type, equity
from tradingd.execution.floor import Floor
from tradingd.execution.touch import Touch
from tradingd.gate.book import Book
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock, SessionClock

_BARS_KEPT: Final = 16
_PURGE_EVERY: Final = 200
"""Closed orders that the engine's cache may keep before they are purged."""
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_AS_IT_IS: Final = MarketStyle()


class LiveEngine:
    """Runs strategies live: `start`, `warm_up`, `deliver` batch by batch, `stop`.

    Parameters
    ----------
    strategies : Sequence[Strategy]
        Each with a name of its own.
    instruments : Sequence[Instrument]
        Trading facts of every symbol.
    resolution : Resolution
        Length of the bars.
    shim, book, journal : OrderShim, Book, Journal
        Where orders go, what is held, where signals and samples are written.
    clock, calendar : SessionClock, SessionCalendar
        Session time, and what it means.
    run_id : str
        Part of every row.
    on_fault : Callable
        Told (exception, strategy) of the first exception of each strategy; it hears nothing more,
        the others go on. ``engine`` for our own code.
    symbols : Mapping[str, Sequence[str]], optional
        Symbols by strategy name; a strategy that is not named trades all.
    actions : Sequence[CorporateAction]
        Splits that strategies are told of at the open of their ex-date.
    equity_every : int
        Seconds between equity samples inside a session.
    style : StyleConfig
        How orders without a price of their own are worked.
    touch : Touch, optional
        Quotes, for the prices of worked orders; without one, the last close and half a spread.
    half_spread_bps : float
        That half spread, in basis points.
    exits_share : bool
        `Capabilities.exits_share` of the broker. Where two exits may not cover the same shares, a
        limit beside the protective stop cannot rest: exits go at the market at once.

    Notes
    -----
    The clock is moved and the book is marked before `deliver`; that is the caller's part.
    """

    def __init__(
        self,
        *,
        strategies: Sequence[Strategy],
        instruments: Sequence[Instrument],
        resolution: Resolution,
        shim: OrderShim,
        book: Book,
        clock: SessionClock,
        calendar: SessionCalendar,
        journal: Journal,
        run_id: str,
        on_fault: Callable[[BaseException, str], None],
        symbols: Mapping[str, Sequence[str]] | None = None,
        actions: Sequence[CorporateAction] = (),
        equity_every: int = 60,
        style: StyleConfig = _AS_IT_IS,
        touch: Touch | None = None,
        half_spread_bps: float = 0.0,
        exits_share: bool = True,
    ) -> None:
        self._style = style
        self._touch = touch
        self._half_spread_bps = half_spread_bps
        self._exits_share = exits_share
        self._calendar = calendar
        # Where data is the clock, nothing is known of the market between two batches.
        self._timed = not isinstance(clock, ReplayClock)
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._instruments = instruments
        self._shim = shim
        self._book = book
        self._on_fault = on_fault
        self._splits = [one for one in actions if one.kind is ActionKind.SPLIT]
        self._present = Present(clock)
        self._diary = Diary(journal, run_id, self._present)
        self._mirror = Mirror()
        self._working = Working(shim)
        self._hearing = Hearing(self._working, self._mirror, self._present)
        self._ticks = {one.symbol: one.tick for one in instruments}
        bar_types = {one.symbol: bar_type(one.symbol, resolution) for one in instruments}
        self._delivery = Delivery(bar_types)
        self._progress: dict[str, int] = dict.fromkeys(self._strategies, 0)
        self._freeze = 0.0
        self._sessions = LiveSessions(
            self._present,
            calendar,
            sample_interval(equity_every, resolution.nanoseconds),
            on_open=self._opened,
            on_close=self._closed,
            on_sample=self._sampled,
        )
        self._runtimes: dict[str, LiveRuntime] = {}
        self._natives: dict[str, LiveNative] = {}
        self._floors: list[Floor] = []
        self._orphans = Orphans(shim, self._held_and_leaving, self._present)
        _refuse_doubles(strategies)
        for position, (name, strategy) in enumerate(self._strategies.items(), start=1):
            strategy.number(position)
            wanted = sorted(self._ticks if symbols is None else symbols.get(name, self._ticks))
            self._connect(name, strategy, {one: bar_types[one] for one in wanted})
        self._intercept = Interception(self._mirror, self._natives, on_fault)
        self._task: asyncio.Task[None] | None = None
        self._handle: Any = None
        self._cache: Any = None

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build the node, start it in this loop, subscribe, and show it what was recovered.

        Building blocks the loop for 0.5 to 3 seconds. No order is sent before `warm_up`.

        Raises
        ------
        Failure
            ENGINE_FAILED when the node does not start.
        """
        bars = Bars([equity(one) for one in self._instruments])
        orders = Orders(self._intercept, lambda: self._book.cash)
        node = _built(bars, orders)
        for strategy in self._strategies.values():
            node.add_strategy(strategy)
        self._handle, self._cache = node.handle(), node.cache
        self._mirror.client = orders.client
        self._delivery.publish = bars.client.publish
        self._task = asyncio.create_task(node.run_async(), name="engine")
        subscriptions = len(
            {one for runtime in self._runtimes.values() for one in runtime.bar_types}
        )
        await self._until(
            lambda: (
                all(runtime.begun or runtime.faults.first for runtime in self._runtimes.values())
                and bars.client.subscribed >= subscriptions
            )
        )
        self._recover()
        self._shim.listen(self._hearing.listen)
        if self._orphans.find(self._shim.open_orders()):
            for name, runtime in self._runtimes.items():
                self._hearing.follow(name, self._follower(runtime.floor))

    async def warm_up(self, batches: Sequence[Batch]) -> None:
        """Give strategies bars of the past, with orders disabled; then let them act.

        Sessions open and close as the bars demand. To be called once, with nothing to begin cold.
        """
        for batch in batches:
            self._present.remember(batch.ts)
            self._sessions.before_bars(batch.ts)
            await self._delivery.run(batch, self._running())
            self._sessions.after_bars(batch.ts)
            await asyncio.sleep(0)
        self._present.remember(None)
        self._present.acting = True
        self._hearing.drain()
        self._orphans.finish()
        self._sessions.begin()

    async def deliver(self, batch: Batch) -> None:
        """Give the bars to the strategies; return when each has seen each of its bars.

        Raises
        ------
        Failure
            ENGINE_FAILED when the engine has ended.
        """
        if not self._present.acting:
            await self.warm_up(())
        self._hearing.drain()
        self._sessions.before_bars(batch.ts)
        self._hearing.hold()
        try:
            await self._delivery.run(batch, self._running())
        finally:
            self._hearing.release()
        for floor in self._floors:
            floor.after_bars(batch.ts, [bar.symbol for bar in batch.bars])
        self._sessions.after_bars(batch.ts)
        if self._mirror.closed >= _PURGE_EVERY:
            self._purge()

    async def stop(self) -> None:
        """Call `on_end`, stop the node; orders stay where they are. Idempotent."""
        self._sessions.stop()
        if self._task is None:
            return
        if not self._task.done():
            self._hearing.drain()
            for name, strategy in self._strategies.items():
                self._runtimes[name].guard(strategy.on_end, "on_end")()
            self.work_no_more()
            self._present.acting = False
            self._handle.stop()
            await asyncio.wait((self._task,), timeout=_STOP_SECONDS)
        task, self._task = self._task, None
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # One node may live in a process, and it lives as long as anything of it is held.
        self._handle = self._cache = None

    def work_no_more(self) -> None:
        """Send no further child of a worked order; what is out stays out. The stop begins so."""
        for floor in self._floors:
            floor.stop()

    # -- facts and drills ------------------------------------------------------------------------

    @property
    def timer_progress(self) -> Mapping[str, int]:
        """Per strategy, how often its one second timer of the engine's clock has fired.

        The timer runs on the loop's thread, in turn with the strategy's handlers: while one of
        them blocks, no count moves.
        """
        return dict(self._progress)

    @property
    def intercepted(self) -> int:
        """Commands that the engine made by itself and that were led to the shim."""
        return self._intercept.caught

    @property
    def picture_failures(self) -> int:
        """Steps of orders that the engine's picture did not follow; each is in the log."""
        return self._mirror.failures

    @property
    def ended(self) -> asyncio.Task[None] | None:
        """The engine's task; ends only by `stop` or by a failure of the engine."""
        return self._task

    def freeze(self, seconds: float) -> None:
        """Block the next strategy timer for that long (a drill for the watchdog)."""
        self._freeze = seconds

    def picture_differences(self) -> dict[str, tuple[int, int]]:
        """Return (book, engine) where the engine's net position of a symbol is another."""
        found: dict[str, tuple[int, int]] = {}
        for symbol in self._ticks:
            line = self._book.position(symbol)
            held = 0 if line is None else line.quantity
            shown = sum(self._mirror.position(name, symbol) for name in self._strategies)
            if held != shown:
                found[symbol] = held, shown
        return found

    # -- private ---------------------------------------------------------------------------------

    def _connect(self, name: str, strategy: Strategy, bar_types: Mapping[str, Any]) -> None:
        book = OwnedBook(self._book, self._working, name, self._present)
        desk = LiveDesk(
            strategy=name,
            ticks={symbol: self._ticks[symbol] for symbol in bar_types},
            shim=self._shim,
            book=book,
            working=self._working,
            present=self._present,
            diary=self._diary,
        )
        native = LiveNative(desk, self._mirror)
        floor = self._floor(desk, book)
        runtime = LiveRuntime(
            name=name,
            bar_types=bar_types,
            desk=desk,
            native=native,
            stops=OwnedStops(self._shim, book),
            book=book,
            mirror=self._mirror,
            delivery=self._delivery,
            present=self._present,
            on_fault=self._on_fault,
            on_timer=self._ticked,
            floor=floor,
            exits_rest=self._exits_share,
        )
        strategy.bind(runtime)
        _take_subscriptions(strategy, runtime)
        runtime.default_timer = lambda event: strategy.on_time_event(event)
        self._hearing.tell(name, strategy.fill_handler(runtime.guard))
        if floor is not None:
            self._hearing.follow(name, self._follower(floor))
            runtime.faults.on_fault(lambda: _give_up_entries(floor))
        self._runtimes[name] = runtime
        self._natives[name] = native

    def _floor(self, desk: LiveDesk, book: OwnedBook) -> Floor | None:
        """Return what works a strategy's orders, None where they go as they are."""
        if not isinstance(self._style, LimitStyle):
            return None
        venue = LiveVenue(
            desk=desk,
            shim=self._shim,
            book=book,
            working=self._working,
            present=self._present,
            diary=self._diary,
            calendar=self._calendar,
            guarded=self._guarded,
        )
        floor = Floor(
            self._style,
            venue,
            touch=self._touch,
            half_spread_bps=self._half_spread_bps,
            timed=self._timed,
        )
        self._floors.append(floor)
        return floor

    def _follower(self, floor: Floor | None) -> Callable[[OrderEvent], None]:
        def follow(event: OrderEvent) -> None:
            self._orphans.hear(event)
            self._orphans.finish()
            if floor is not None:
                tell(floor, event)

        return lambda event: self._guarded(lambda: follow(event))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Run code of ours on the loop; a bug in it is told like one of a strategy."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the loop would only log it
            self._on_fault(error, "engine")

    def _held_and_leaving(self, strategy: str, symbol: str) -> tuple[int, int]:
        held = self._runtimes[strategy].book.quantity(symbol)
        return held, self._working.leaving(strategy, symbol)

    def _running(self) -> asyncio.Task[None]:
        if self._task is None:
            raise RuntimeError("the engine was not started")
        if self._task.done():
            raise engine_ended(self._task)
        return self._task

    async def _until(self, done: Callable[[], object]) -> None:
        """Wait while the engine starts; it offers nothing to wait on."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        while not done():
            task = self._running()
            if loop.time() > deadline:
                raise Failure(
                    f"the engine did not start within {_START_SECONDS:.0f} s",
                    code=ExitCode.ENGINE_FAILED,
                    next_step="read the log before this",
                )
            await asyncio.wait((task,), timeout=0.01)

    def _recover(self) -> None:
        """Show the engine positions and orders that an earlier process left."""
        rows = self._shim.open_orders()
        for row in rows:
            self._working.take(row)
        self._level()
        self._mirror.recover(rows)

    def _level(self) -> None:
        now = self._present.now()
        for name, runtime in self._runtimes.items():
            for symbol in runtime.bar_types:
                line = runtime.book.position(symbol)
                held, at = (0, 0) if line is None else (line.quantity, line.average_price)
                at = at or self._mark(symbol)
                self._mirror.level(name, symbol, held, at, now)

    def _mark(self, symbol: str) -> int:
        line = self._book.line(symbol)
        return 0 if line is None else line.mark

    def _opened(self, session: Session) -> None:
        self._hearing.drain()
        self._split(session)
        for name, strategy in self._strategies.items():
            self._runtimes[name].guard(strategy.on_session_open, "on_session_open")(session)

    def _closed(self, session: Session) -> None:
        self._hearing.drain()
        for floor in self._floors:
            floor.closed(max(session.close_ns, self._present.now()))
        for name, strategy in self._strategies.items():
            self._runtimes[name].guard(strategy.on_session_close, "on_session_close")(session)
        if self._present.acting:
            self._purge()

    def _split(self, session: Session) -> None:
        due = [one for one in self._splits if one.ex_date == session.day]
        for one in due:
            for name, strategy in self._strategies.items():
                runtime = self._runtimes[name]
                if one.symbol in runtime.bar_types:
                    self._tell_split(runtime, strategy, one)
        if due and self._present.acting:
            self._level()

    def _tell_split(self, runtime: LiveRuntime, strategy: Strategy, one: CorporateAction) -> None:
        def tell() -> None:
            if runtime.floor is not None:
                runtime.floor.split(one.symbol, one.numerator, one.denominator)
            runtime.rescale_tracked(one.symbol, one.numerator, one.denominator)
            strategy.on_split(one.symbol, one.numerator, one.denominator)

        runtime.guard(tell, "on_split")()

    def _sampled(self) -> None:
        self._diary.equity(self._book)
        if self._task is not None and not self._task.done():
            self._mirror.client.tell_cash()

    def _purge(self) -> None:
        """Let the engine forget what is over, so that memory does not follow the order count."""
        self._mirror.purge()
        now = self._mirror.client.clock.timestamp_ns()
        self._cache.purge_closed_orders(now)
        self._cache.purge_closed_positions(now)
        self._cache.purge_account_events(now)

    def _ticked(self, name: str) -> None:
        if self._freeze:
            seconds, self._freeze = self._freeze, 0.0
            time.sleep(seconds)
        self._progress[name] += 1


def _built(bars: Bars, orders: Orders) -> Any:
    """Return a node with our two clients; it opens no socket, logs nothing, keeps no database."""
    config = LiveNodeConfig(
        environment=Environment.LIVE,
        trader_id=TraderId("TRADINGD-001"),
        load_state=False,
        save_state=False,
        logging=LoggerConfig(bypass_logging=True),
        timeout_connection_secs=10.0,
        timeout_disconnection_secs=2.0,
        delay_post_stop_secs=0.0,
        timeout_shutdown_secs=2.0,
        cache=CacheConfig(bar_capacity=_BARS_KEPT, tick_capacity=_BARS_KEPT),
        # The gate judges; a second judge with another book would only disagree.
        risk_engine=LiveRiskEngineConfig(bypass=True),
        exec_engine=LiveExecutionEngineConfig(reconciliation=False),
    )
    builder = LiveNodeBuilder.from_config("tradingd", config)
    builder.add_data_client(NAME, bars, DataClientConfig())
    builder.add_exec_client(NAME, orders, ExecutionClientConfig())
    return builder.build()


def _take_subscriptions(strategy: Strategy, runtime: LiveRuntime) -> None:
    """Lead the strategy's later wishes for bars to its runtime; its first go to the engine."""
    to_engine = strategy.subscribe_bars

    def subscribe(bar_type: BarType, *args: Any, **kwargs: Any) -> None:
        runtime.want_bars(bar_type, wanted=True)
        if not runtime.begun:
            to_engine(bar_type, *args, **kwargs)

    def unsubscribe(bar_type: BarType, *_args: Any, **_kwargs: Any) -> None:
        runtime.want_bars(bar_type, wanted=False)

    vars(strategy).update(subscribe_bars=subscribe, unsubscribe_bars=unsubscribe)


def _refuse_doubles(strategies: Sequence[Strategy]) -> None:
    names = [strategy.name for strategy in strategies]
    doubles = sorted({one for one in names if names.count(one) > 1})
    if doubles:
        raise Failure(
            "two strategies have the same name",
            code=ExitCode.CONFIG,
            where="strategy",
            expected="a name of its own for every strategy",
            found=", ".join(doubles),
            next_step="run them in two instances, each with its own account",
        )


def _give_up_entries(floor: Floor) -> None:
    """Enter nothing more for a strategy that has failed; its exits go on."""
    for symbol in floor.symbols():
        floor.let_go(symbol, "the strategy failed", entries=True)
