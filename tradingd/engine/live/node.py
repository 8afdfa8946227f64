"""Strategies in a NautilusTrader node inside our loop: bars in, wishes to the shim out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tradingd.config.execution import MarketStyle, StyleConfig
from tradingd.domain.advice import LiveAdvisor
from tradingd.domain.feed import Batch, Quote
from tradingd.domain.journal import Journal
from tradingd.domain.market import CorporateAction, Instrument, Resolution, Session
from tradingd.domain.trading import OrderShim
from tradingd.engine.advising import LiveAdvising
from tradingd.engine.live.bars import Delivery, engine_ended
from tradingd.engine.live.binding import Bindings, refuse_doubles
from tradingd.engine.live.children import Orphans
from tradingd.engine.live.clients import Bars, Orders
from tradingd.engine.live.diary import Diary
from tradingd.engine.live.floors import Floors
from tradingd.engine.live.hearing import Hearing
from tradingd.engine.live.intercept import Interception
from tradingd.engine.live.kernel import built
from tradingd.engine.live.levels import Levels
from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.present import Present
from tradingd.engine.live.progress import TimerProgress
from tradingd.engine.live.sessions import LiveSessions
from tradingd.engine.live.shared import Shared
from tradingd.engine.live.telling import DayTeller
from tradingd.engine.live.working import Working
from tradingd.engine.sessions import sample_interval
from tradingd.engine.strategy import Strategy
from tradingd.engine.venue import bar_type, equity
from tradingd.execution.touch import Touch
from tradingd.gate.book import Book
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock, SessionClock

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
    watched : Sequence[Instrument]
        Symbols whose bars only the advisor sees. An order of a strategy in one of them is put to
        the shim, which denies it: elsewhere it would be a fault of the strategy.
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
    advisor : LiveAdvisor, optional
        Sees every batch before strategies do, and answers them. When it fails it abstains.
    on_advisor_failure : Callable
        Told of its first exception.

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
        watched: Sequence[Instrument] = (),
        actions: Sequence[CorporateAction] = (),
        equity_every: int = 60,
        style: StyleConfig = _AS_IT_IS,
        touch: Touch | None = None,
        half_spread_bps: float = 0.0,
        exits_share: bool = True,
        advisor: LiveAdvisor | None = None,
        on_advisor_failure: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        refuse_doubles(strategies)
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._instruments = [*instruments, *watched]
        self._ticks = {one.symbol: one.tick for one in instruments}
        self._present = present = Present(clock)
        self._mirror = Mirror()
        self._working = Working(shim)
        self._hearing = Hearing(self._working, self._mirror, present)
        bar_types = {one.symbol: bar_type(one.symbol, resolution) for one in instruments}
        self._delivery = Delivery(bar_types)
        self._advising = LiveAdvising(advisor, on_advisor_failure)
        self._shared = shared = Shared(
            shim=shim,
            book=book,
            calendar=calendar,
            present=present,
            diary=Diary(journal, run_id, present),
            mirror=self._mirror,
            working=self._working,
            hearing=self._hearing,
            delivery=self._delivery,
            advising=self._advising,
        )
        self._progress = TimerProgress(self._strategies)
        self._sessions = LiveSessions(
            present,
            calendar,
            sample_interval(equity_every, resolution.nanoseconds),
            on_open=self._opened,
            on_close=self._closed,
            on_sample=self._sampled,
        )
        self._orphans = Orphans(shim, self._held_and_leaving, present)
        self._floors = Floors(
            shared,
            style,
            touch=touch,
            half_spread_bps=half_spread_bps,
            orphans=self._orphans,
            # Where data is the clock, nothing is known of the market between two batches.
            timed=not isinstance(clock, ReplayClock),
            on_fault=on_fault,
        )
        bindings = Bindings(
            shared,
            floors=self._floors,
            ticks=self._ticks,
            watched={one.symbol: one.tick for one in watched},
            exits_rest=exits_share,
            on_fault=on_fault,
            on_timer=self._progress.ticked,
        )
        self._runtimes = bindings.runtimes
        for position, strategy in enumerate(strategies, start=1):
            strategy.number(position)
            traded = self._ticks if symbols is None else symbols.get(strategy.name, self._ticks)
            bindings.bind(strategy, {one: bar_types[one] for one in sorted(traded)})
        self._day = DayTeller(self._strategies, self._runtimes, actions, self._advising)
        self._levels = Levels(shared, self._runtimes)
        self._intercept = Interception(self._mirror, bindings.natives, on_fault)
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
        orders = Orders(self._intercept, lambda: self._shared.book.cash)
        node = built(bars, orders)
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
        self._levels.recover(self._shared.shim.open_orders())
        self._shared.shim.listen(self._hearing.listen)
        if self._orphans.find(self._shared.shim.open_orders()):
            for name, runtime in self._runtimes.items():
                self._hearing.follow(name, self._floors.follower(runtime.floor))

    async def warm_up(self, batches: Sequence[Batch]) -> None:
        """Give strategies bars of the past, with orders disabled; then let them act.

        Sessions open and close as the bars demand. To be called once, with nothing to begin cold.
        """
        for batch in batches:
            self._present.remember(batch.ts)
            self._sessions.before_bars(batch.ts)
            self._day.before_bars(batch)
            self._advising.observe(batch)
            await self._delivery.run(batch, self._running())
            self._sessions.after_bars(batch.ts)
            await asyncio.sleep(0)
        self._present.remember(None)
        self._present.acting = True
        self._levels.level()
        self._hearing.drain()
        self._orphans.finish()
        self._sessions.begin()

    def know_actions(self, actions: Sequence[CorporateAction]) -> None:
        """Take the corporate actions that are known now, past ones too."""
        self._day.know(actions)

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
        self._day.before_bars(batch)
        self._advising.observe(batch)
        self._hearing.hold()
        try:
            await self._delivery.run(batch, self._running())
        finally:
            self._hearing.release()
        self._floors.after_bars(batch.ts, [bar.symbol for bar in batch.bars])
        self._sessions.after_bars(batch.ts)
        if self._mirror.closed >= _PURGE_EVERY:
            self._purge()

    def heard(self, quote: Quote) -> None:
        """Show a quote to the model."""
        self._advising.observe_quote(quote)

    def show_positions(self) -> None:
        """Show each strategy's positions as the book has them, after what was booked by hand.

        Those that no strategy here owns are not shown. Nothing to do before `warm_up` ends, which
        shows them, and after the engine has ended.
        """
        if self._present.acting and self._task is not None and not self._task.done():
            self._levels.level()

    async def stop(self) -> None:
        """Call `on_end`, stop the node; orders stay where they are. Idempotent."""
        self._sessions.stop()
        if self._task is None:
            return
        if not self._task.done():
            self._hearing.drain()
            self._day.ended()
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
        self._floors.stop()

    # -- facts and drills ------------------------------------------------------------------------

    @property
    def timer_progress(self) -> Mapping[str, int]:
        """Per strategy, how often its one second timer of the engine's clock has fired.

        The timer runs on the loop's thread, in turn with the strategy's handlers: while one of
        them blocks, no count moves.
        """
        return self._progress.counts

    @property
    def intercepted(self) -> int:
        """Commands that the engine made by itself and that were led to the shim."""
        return self._intercept.caught

    @property
    def picture_failures(self) -> int:
        """Steps of orders that the engine's picture did not follow; each is in the log."""
        return self._mirror.failures

    @property
    def advised(self) -> Mapping[str, int]:
        """The model's answers by the reason of the abstention; empty for an opinion."""
        return self._advising.answers

    @property
    def ended(self) -> asyncio.Task[None] | None:
        """The engine's task; ends only by `stop` or by a failure of the engine."""
        return self._task

    def freeze(self, seconds: float) -> None:
        """Block the next strategy timer for that long (a drill for the watchdog)."""
        self._progress.freeze(seconds)

    def picture_differences(self) -> dict[str, tuple[int, int]]:
        """Return (book, engine) where the engine's net position of a symbol is another."""
        return self._levels.differences(self._ticks)

    # -- private ---------------------------------------------------------------------------------

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

    def _opened(self, session: Session) -> None:
        self._hearing.drain()
        if self._day.split(session) and self._present.acting:
            self._levels.level()
        self._day.opened(session)

    def _closed(self, session: Session) -> None:
        self._hearing.drain()
        self._floors.closed(max(session.close_ns, self._present.now()))
        self._day.closed(session)
        if self._present.acting:
            self._purge()

    def _sampled(self) -> None:
        self._shared.diary.equity(self._shared.book)
        if self._task is not None and not self._task.done():
            self._mirror.client.tell_cash()

    def _purge(self) -> None:
        """Let the engine forget what is over, so that memory does not follow the order count."""
        self._mirror.purge()
        now = self._mirror.client.clock.timestamp_ns()
        self._cache.purge_closed_orders(now)
        self._cache.purge_closed_positions(now)
        self._cache.purge_account_events(now)
