"""The start of a session, step by step: every part is made and joined here."""

import asyncio
import gc
import logging
import time
from typing import TYPE_CHECKING

from tradingd import __version__
from tradingd.app.doctor import environment, freshness, storage
from tradingd.app.doctor.check import diagnosis
from tradingd.app.trading import brokers, parts
from tradingd.app.trading.arming import ArmingDesk
from tradingd.app.trading.commands import Flattener, StateKeeper
from tradingd.app.trading.days import Days
from tradingd.app.trading.limits import LimitOverrides
from tradingd.app.trading.live_market import LiveMarket
from tradingd.app.trading.market import session_feed
from tradingd.app.trading.pump import FEED_POSITION, Pump
from tradingd.app.trading.status import StatusBoard
from tradingd.app.trading.telling import Teller
from tradingd.app.trading.timer_jobs import TimerJobs
from tradingd.app.trading.work import session_work
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.config.mode import LiveMode
from tradingd.config.secrets import Secret, resolve
from tradingd.daemon.checks.broker import BrokerCheck
from tradingd.daemon.jobs import session_jobs
from tradingd.daemon.lock import AccountLock, accounts_folder
from tradingd.daemon.scheduler import Scheduler
from tradingd.daemon.startup import Startup, Step
from tradingd.daemon.stopfiles import latch_reason
from tradingd.domain import endpoint
from tradingd.domain.health import Grade
from tradingd.domain.journal import MarkRow
from tradingd.engine.live.node import LiveEngine
from tradingd.gate.arming import ARMING, Arming
from tradingd.gate.states import TradingStates
from tradingd.journal.recall import recall
from tradingd.kits.failure import ExitCode, Failure
from tradingd.notify.router import AlertRouter
from tradingd.orders.shim import Shim
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.orders import OrderMetrics

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

log = logging.getLogger(__name__)

OVERRIDES = "limit_overrides"
"""Journal mark: limits an operator has overridden, as JSON."""

_GRACE = 5.0


class BringUp:
    """Makes and joins the parts, in the order they depend on each other.

    Parameters
    ----------
    session : TradingSession
        Whose parts these are.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._one = session

    async def start(self) -> None:
        """Bring everything up, or take it all back.

        Raises
        ------
        Failure
            Naming the step.
        """
        steps = (
            Step(name="check the machine", run=self._check_machine),
            Step(name="take the instance", run=self._take_instance, undo=self._one.down.release),
            Step(
                name="open the journal", run=self._open_journal, undo=self._one.down.close_journal
            ),
            Step(name="start the alerts", run=self._start_alerts, undo=self._one.down.stop_alerts),
            Step(name="open the feed", run=self._open_feed, undo=self._one.down.close_feed),
            Step(name="connect to the broker", run=self._connect, undo=self._one.down.disconnect),
            Step(name="build the strategies and the gate", run=self._build),
            Step(
                name="serve the operator",
                run=self._one.front.serve,
                undo=self._one.front.stop_serving,
            ),
            Step(name="reconcile with the broker", run=self._reconcile, undo=self._call_off),
            Step(name="start the engine", run=self._start_engine, undo=self._one.down.stop_engine),
            Step(name="warm up", run=self._warm_up),
            Step(name="supervise", run=self._supervise, undo=self._one.down.stop_tasks),
        )
        startup = Startup(
            steps, progress=self._starting, seconds=time.monotonic, undo_seconds=_GRACE
        )
        await startup.run()
        # What is there now stays: to look through all of it takes the collector 0.1 s,
        # for which an order may have to wait.
        gc.collect()
        gc.freeze()
        self._one.phase = "TRADING"
        self._one.notifier.ready(self._one.board.line())
        self._one.heartbeat.watch()
        self._one.teller.note(
            "ready", f"trading {self._one.identity.strategy} on {self._one.feed.label}"
        )

    def _starting(self, text: str) -> None:
        log.info("start %s", text)
        self._one.notifier.status(f"starting: {text}")

    async def _check_machine(self) -> None:
        self._one.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = diagnosis(
            [
                environment.python(),
                environment.modules(),
                freshness.clock(),
                storage.disk(self._one.state),
            ]
        )
        bad = [one for one in found.checks if one.critical and one.status == "fail"]
        if bad:
            raise Failure(
                "this machine is not fit to trade",
                code=ExitCode.DOCTOR,
                where=bad[0].name,
                found=bad[0].detail,
                next_step=bad[0].next_step or "tradingd doctor",
            )

    async def _take_instance(self) -> None:
        self._one.instance_lock = AccountLock(
            self._one.state,
            broker="instance",
            account=self._one.instance,
            instance=self._one.instance,
        )
        self._one.instance_lock.acquire()

    async def _open_journal(self) -> None:
        await asyncio.to_thread(self._one.journal.start)
        self._one.recalled = await asyncio.to_thread(recall, self._one.journal.path)
        self._one.identity = parts.identify(
            self._one.loaded, self._one.instance, self._one.recalled, self._one.wall
        )
        self._one.logs.context["run_id"] = self._one.identity.run_id

    async def _start_alerts(self) -> None:
        self._one.alerts = AlertRouter(
            self._one.config.alerts,
            instance=self._one.instance,
            mode=self._one.identity.mode,
            outbox=self._one.state / "outbox",
            resolve=self._one.logs.mask.resolving(resolve),
            clock=self._one.wall,
            mask=self._one.logs.mask.text,
        )
        self._one.alerts.start()

    async def _open_feed(self) -> None:
        feed = self._one.feed = session_feed(self._one.config, self._one.calendar, self._secret)
        self._one.market = LiveMarket(feed, lambda: self._one.clock.now())
        resume = int(self._one.recalled.marks.get(FEED_POSITION, "0"))
        if not feed.replayed:
            # What happened while nobody traded is history: nothing acts on it.
            resume = self._one.wall()
        await feed.open(resume)
        self._one.batches = feed.batches()
        if feed.replayed:
            self._one.first_batch = await anext(self._one.batches, None)
        began = resume
        if not resume and self._one.first_batch is not None:
            began = parts.moment_before(
                self._one.first_batch, self._one.feed.resolution, self._one.calendar
            )
        self._one.clock = parts.session_clock(self._one.feed, began)
        self._one.resume_after = resume or began

    def _secret(self, reference: str) -> Secret:
        """Resolve a reference; from now on no log shows what it stands for."""
        return self._one.logs.mask.resolving(resolve)(reference)

    async def _connect(self) -> None:
        self._one.broker = broker = await brokers.connected_broker(
            self._one.config, self._one.state, self._one.instance, self._secret
        )
        self._one.simulated = broker if isinstance(broker, SimulatedBroker) else None
        self._one.account = await broker.connect()
        brokers.check_account(self._one.config, self._one.account)
        symbols = [one.symbol for one in self._one.feed.instruments()]
        unknown = await self._one.market.ask(broker, symbols)
        if unknown:
            log.warning("the broker does not know %s: nothing is opened there", ", ".join(unknown))
        self._one.account_lock = AccountLock(
            accounts_folder(self._one.instance),
            broker=self._one.broker.name,
            account=self._one.account.account_id,
            instance=self._one.instance,
        )
        self._one.account_lock.acquire()
        endpoint.write(
            self._one.state,
            brokers.endpoint_of(self._one.config, self._one.state, self._one.account.account_id),
        )

    async def _build(self) -> None:
        config, simulated = self._one.config, self._one.simulated
        self._one.book = parts.opening_book(config)
        self._one.gate = parts.session_gate(config, self._one.book, self._one.feed)
        self._one.states = TradingStates()
        self._one.states.restore(self._one.recalled.states)
        self._one.strategies = parts.session_strategies(config)
        mode = self._one.mode
        self._one.arming = Arming(
            live=isinstance(mode, LiveMode),
            account=self._one.account.account_id,
            config_hash=self._one.loaded.hash,
            longest_minutes=mode.arm_minutes if isinstance(mode, LiveMode) else 0,
            wall=self._one.wall,
            save=lambda text: self._one.journal.write(MarkRow(key=ARMING, value=text)),
        )
        self._one.arming.restore(self._one.recalled.marks.get(ARMING, ""))
        self._one.shim = Shim(
            instance=self._one.instance,
            run_id=self._one.identity.run_id,
            broker=self._one.broker,
            journal=self._one.journal,
            gate=self._one.gate,
            book=self._one.book,
            states=self._one.states,
            clock=self._one.clock,
            session=self._one.days_at,
            settings=config.supervision,
            first_seq=self._one.recalled.next_seq,
            armed=self._one.arming.refusal,
            unwell=self._one.watch.unwell,
            closed=self._one.market.refusal,
            shadow=mode.shadow,
            strategies=[one.name for one in self._one.strategies],
            barred=lambda: latch_reason(self._one.state),
            halted=lambda record, before: self._one.teller.state(record, before),
            approval=config.execution.approval,
            approval_minutes=config.execution.approval_minutes,
        )
        self._one.market.heard = lambda quote: self._one.shim.on_quote(
            quote.symbol, quote.bid, quote.ask
        )
        self._one.days = Days(
            self._one.book,
            self._one.clock,
            self._one.calendar,
            self._one.feed.actions(),
            None if simulated is None else simulated.corporate_action,
        )
        self._one.metrics = Metrics(
            version=__version__,
            mode=self._one.identity.mode,
            folder=self._one.state,
            strategies=[one.name for one in self._one.strategies],
        )
        self._one.logs.count_in(self._one.metrics)
        self._one.metrics.started(self._one.identity.started)
        self._one.metrics.before_scrape(lambda: self._one.board.measure())
        self._one.teller = Teller(
            self._one.events,
            self._one.alerts.emit,
            self._one.clock.now,
            self._one.wall,
            self._one.metrics.denial,
        )
        self._one.arming_desk = ArmingDesk(
            self._one.arming,
            self._one.shim,
            self._one.teller.note,
            lambda text: self._one.journal.write(self._one.audit_row("arming", text)),
        )
        self._one.shim.listen(self._one.teller.order)
        self._one.shim.listen(OrderMetrics(self._one.metrics))
        self._one.limits = LimitOverrides(
            self._one.gate,
            config.risk,
            self._one.wall,
            lambda saved: self._one.mark(OVERRIDES, saved.decode()),
        )
        self._one.limits.restore(self._one.recalled.marks.get(OVERRIDES, "").encode())
        self._one.keeper = StateKeeper(
            self._one.states, self._one.journal, self._one.wall, self._one.teller.state
        )
        self._one.flattener = Flattener(self._one.keeper, self._one.shim)
        self._one.engine = LiveEngine(
            strategies=self._one.strategies,
            instruments=self._one.feed.instruments(),
            resolution=self._one.feed.resolution,
            shim=self._one.shim,
            book=self._one.book,
            clock=self._one.clock,
            calendar=self._one.calendar,
            journal=self._one.journal,
            run_id=self._one.identity.run_id,
            on_fault=self._one.watch.strategy_fault,
            actions=self._one.feed.actions(),
            equity_every=self._one.mode.equity_every,
            style=config.execution.style,
            touch=self._one.market,
            half_spread_bps=brokers.half_spread_bps(config),
            exits_share=self._one.broker.capabilities.exits_share,
        )
        self._one.scheduler = Scheduler(
            session_jobs(config.schedule, session_work(self._one)),
            self._one.clock,
            self._one.calendar,
            self._one.journal,
            self._one.alerts.emit,
            grace_minutes=config.schedule.grace_minutes,
            absence_counts=not self._one.feed.replayed,
            counted=self._one.metrics.job_run,
        )
        self._one.timer_jobs = TimerJobs(
            self._one.journal, self._one.alerts.emit, self._one.recalled.marks
        )
        self._one.pump = Pump(
            feed=self._one.feed,
            clock=self._one.clock,
            days=self._one.days,
            shim=self._one.shim,
            engine=self._one.engine,
            journal=self._one.journal,
            sink=simulated,
            settle=self._one.watch.settle,
            taken=_nothing_to_take if simulated is None else simulated.drained,
            judge=self._one.watch.judge,
            after=self._one.watch.after_batch,
        )
        self._one.watch.monitor()
        self._one.board = StatusBoard(self._one)
        await self._one.journal.write(
            parts.run_row(self._one.identity, self._one.loaded, self._one.feed.label),
            self._one.audit_row(
                "start", f"{__version__} {self._one.loaded.hash[:12]} {self._one.feed.label}"
            ),
        )

    async def _reconcile(self) -> None:
        self._one.phase = "RECONCILING"
        await self._one.shim.start(self._one.recalled)
        self._one.days.start(self._one.clock.now())
        self._one.opening_equity = self._one.book.equity

    async def _call_off(self) -> None:
        """End the shim; when somebody asked for the stop, entries of before do not stay either."""
        if self._one.stopping.is_set() and self._one.shim.ready:
            await self._one.down.cancel_orders()
        await self._one.shim.stop()

    async def _start_engine(self) -> None:
        self._one.phase = "WARMING_UP"
        await self._one.engine.start()

    async def _warm_up(self) -> None:
        history = await self._one.feed.history(self._one.resume_after, self._one.mode.warm_up_bars)
        await self._one.engine.warm_up(history)
        self._one.scheduler.start(self._one.recalled.marks)

    async def _supervise(self) -> None:
        self._one.silence.heard()
        self._one.lag.forget()
        self._one.kill_switch.go_on(self._one.states.snapshot())
        self._one.kill_switch.look()
        self._one.tasks.spawn("broker ping", self._one.pinger.run())
        self._one.tasks.spawn("loop lag", self._one.lag.run())
        if self._one.drift is not None:
            self._one.tasks.spawn("broker clock", self._one.drift.run())
        await self._progress_seen()
        self._one.tasks.spawn("heartbeat", self._one.heartbeat.run())
        self._one.tasks.spawn("reconcile", self._one.watch.compare_often())

    async def _progress_seen(self) -> None:
        """Wait until everything that must make progress has been seen to make it.

        READY is a promise: strategy timers fire, the journal commits, the broker answers. What a
        person must decide (a mismatch with the broker) does not hold it up: the account is halted
        then, and somebody must be able to say so.
        """
        loop = asyncio.get_running_loop()
        limits = self._one.config.supervision
        # Twice the longest time after which standing still is a failure: 20 s by default.
        deadline = loop.time() + 2 * max(
            limits.strategy_stall_seconds,
            limits.journal_stall_seconds,
            limits.ping_every_seconds + limits.ping_seconds,
        )
        while True:
            await self._one.journal.write()
            self._one.health.evaluate()
            missing = [
                one
                for one in self._one.health.readings()
                if one.grade is Grade.FAILED and (one.beats or one.name == BrokerCheck.name)
            ]
            if not missing:
                return
            if loop.time() > deadline:
                raise Failure(
                    f"{missing[0].name} makes no progress",
                    code=ExitCode.ENGINE_FAILED,
                    where=missing[0].name,
                    expected=missing[0].limit,
                    found=missing[0].value,
                    next_step=missing[0].next_step,
                )
            await asyncio.sleep(0.05)


async def _nothing_to_take() -> None:
    """Return at once: a real broker's events come when they come."""
