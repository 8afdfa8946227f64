"""One trading session from start to stop: the order of both, and what runs in between."""

import asyncio
import contextlib
import gc
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tradingd import __version__
from tradingd.app.doctor import environment, freshness, storage
from tradingd.app.doctor.check import diagnosis
from tradingd.app.trading import parts
from tradingd.app.trading.commands import Flattener, StateKeeper
from tradingd.app.trading.days import Days
from tradingd.app.trading.drills import session_drills
from tradingd.app.trading.limits import LimitOverrides
from tradingd.app.trading.market import session_feed
from tradingd.app.trading.operator import Facts, SessionOperator
from tradingd.app.trading.pump import FEED_POSITION, Pump
from tradingd.app.trading.reloading import Reloader
from tradingd.app.trading.status import StatusBoard
from tradingd.app.trading.supervision import (
    FIRED,
    KillSwitchWatch,
    health_alert,
    session_checks,
)
from tradingd.app.trading.telling import Teller
from tradingd.app.trading.timer_jobs import TimerJobs
from tradingd.app.trading.work import recent_trades, session_work
from tradingd.config.load import Loaded
from tradingd.config.secrets import resolve
from tradingd.control.events import EventHub
from tradingd.control.location import own_socket
from tradingd.control.peers import group_id
from tradingd.control.server import ControlServer
from tradingd.daemon.checks.broker import BrokerCheck
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.heartbeat import Heartbeat
from tradingd.daemon.jobs import session_jobs
from tradingd.daemon.killswitch import KillSwitch
from tradingd.daemon.lag import LagSampler
from tradingd.daemon.lock import AccountLock, accounts_folder
from tradingd.daemon.pinger import Pinger
from tradingd.daemon.scheduler import Scheduler
from tradingd.daemon.shutdown import StopReport, StopStep, shut_down
from tradingd.daemon.silence import SilenceWatch
from tradingd.daemon.startup import Startup, Step
from tradingd.daemon.stopfiles import latch_reason
from tradingd.domain import endpoint
from tradingd.domain.alerts import Alert, Severity
from tradingd.domain.broker import BrokerAccount, BrokerUnavailable
from tradingd.domain.feed import Batch
from tradingd.domain.health import Grade, Reading
from tradingd.domain.journal import AuditRow, MarkRow, RunRow
from tradingd.domain.market import Session as ExchangeSession
from tradingd.domain.money import Nanos
from tradingd.domain.recall import Recalled
from tradingd.domain.states import Scope, TradingState
from tradingd.engine.live.node import LiveEngine
from tradingd.gate.states import TradingStates
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.notify_socket import Notifier
from tradingd.kits.systemd_socket import listen_fds
from tradingd.kits.tasks import Fault, Tasks
from tradingd.notify.router import AlertRouter
from tradingd.orders.shim import Shim
from tradingd.session.clock import ReplayClock
from tradingd.telemetry.logs import Logging
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.orders import OrderMetrics
from tradingd.telemetry.server import MetricsServer

log = logging.getLogger(__name__)

OVERRIDES = "limit_overrides"
"""Journal mark: limits an operator has overridden, as JSON."""

VIEWERS, OPERATORS = "tradingd-view", "tradingd-op"
_GRACE = 5.0
_ROUNDS = 20
_COMPARE_SECONDS = 60.0


class TradingSession:
    """The daemon.

    Parameters
    ----------
    loaded : Loaded
        The configuration.
    load_again : Callable
        Reads it anew, for a reload.
    instance : str
        Name of the daemon.
    state : Path
        Its state folder.
    notifier : Notifier
        systemd, or nobody.
    logs : Logging
        The process's logging.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        load_again: Callable[[], Loaded],
        instance: str,
        state: Path,
        notifier: Notifier,
        logs: Logging,
    ) -> None:
        self.loaded = loaded
        self.instance = instance
        self.state = state
        self.phase = "STARTING"
        self.why = ""
        self.stopping = asyncio.Event()
        self._load_again = load_again
        self._notifier = notifier
        self._logs = logs
        self.wall = time.time_ns
        self._config = loaded.config
        self._mode = parts.session_mode(loaded.config)
        self._calendar = parts.session_calendar(loaded.config)
        self._undo = contextlib.AsyncExitStack()
        self.tasks = Tasks(self._fault)
        # Numbers that rise over a restart, so that a reader can go on.
        self.events = EventHub(first=time.time_ns() // 1_000_000)
        self.recalled = Recalled()
        self.account = BrokerAccount(account_id="", cash=0, equity=0)
        self.journal = SqliteJournal(state / parts.JOURNAL_FILE)
        self.opening_equity: Nanos = 0
        self._batches: AsyncIterator[Batch] | None = None
        self._first: Batch | None = None
        self._code = ExitCode.OK

    # -- start -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bring everything up, or take it all back.

        Raises
        ------
        Failure
            Naming the step.
        """
        steps = (
            Step(name="check the machine", run=self._check_machine),
            Step(name="take the instance", run=self._take_instance, undo=self._release),
            Step(name="open the journal", run=self._open_journal, undo=self._close_journal),
            Step(name="start the alerts", run=self._start_alerts, undo=self._stop_alerts),
            Step(name="open the feed", run=self._open_feed, undo=self._close_feed),
            Step(name="connect to the broker", run=self._connect, undo=self._disconnect),
            Step(name="build the strategies and the gate", run=self._build),
            Step(name="serve the operator", run=self._serve, undo=self._stop_serving),
            Step(name="reconcile with the broker", run=self._reconcile, undo=self._call_off),
            Step(name="start the engine", run=self._start_engine, undo=self._stop_engine),
            Step(name="warm up", run=self._warm_up),
            Step(name="supervise", run=self._supervise, undo=self._stop_tasks),
        )
        startup = Startup(
            steps, progress=self._starting, seconds=time.monotonic, undo_seconds=_GRACE
        )
        await startup.run()
        # What is there now stays: to look through all of it takes the collector 0.1 s,
        # for which an order may have to wait.
        gc.collect()
        gc.freeze()
        self.phase = "TRADING"
        self._notifier.ready(self.board.line())
        self.heartbeat.watch()
        self.teller.note("ready", f"trading {self.identity.strategy} on {self.feed.label}")

    def _starting(self, text: str) -> None:
        log.info("start %s", text)
        self._notifier.status(f"starting: {text}")

    async def _check_machine(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = diagnosis(
            [
                environment.python(),
                environment.modules(),
                freshness.clock(),
                storage.disk(self.state),
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
        self._instance_lock = AccountLock(
            self.state, broker="instance", account=self.instance, instance=self.instance
        )
        self._instance_lock.acquire()

    async def _release(self) -> None:
        self._instance_lock.release()

    async def _open_journal(self) -> None:
        await asyncio.to_thread(self.journal.start)
        self.recalled = await asyncio.to_thread(recall, self.journal.path)
        self.identity = parts.identify(self.loaded, self.instance, self.recalled, self.wall)
        self._logs.context["run_id"] = self.identity.run_id

    async def _close_journal(self) -> None:
        await asyncio.to_thread(self.journal.close)

    async def _start_alerts(self) -> None:
        self.alerts = AlertRouter(
            self._config.alerts,
            instance=self.instance,
            mode=self.identity.mode,
            outbox=self.state / "outbox",
            resolve=self._logs.mask.resolving(resolve),
            clock=self.wall,
            mask=self._logs.mask.text,
        )
        self.alerts.start()

    async def _stop_alerts(self) -> None:
        await asyncio.to_thread(self.alerts.close, _GRACE)

    async def _open_feed(self) -> None:
        self.feed = session_feed(self._config, self._calendar)
        resume = int(self.recalled.marks.get(FEED_POSITION, "0"))
        await self.feed.open(resume)
        self._batches = self.feed.batches()
        self._first = await anext(self._batches, None)
        began = resume
        if not resume and self._first is not None:
            began = parts.moment_before(self._first, self.feed.resolution, self._calendar)
        self.clock = parts.session_clock(self.feed, began)
        self._resume = resume or began

    async def _close_feed(self) -> None:
        # A feed that was refused before it was made leaves nothing to close.
        if "feed" in vars(self):
            await self.feed.close()

    async def _connect(self) -> None:
        self.broker = await parts.connected_broker(self._config, self.state, self.instance)
        self.account = await self.broker.connect()
        self._account_lock = AccountLock(
            accounts_folder(self.instance),
            broker=self.broker.name,
            account=self.account.account_id,
            instance=self.instance,
        )
        self._account_lock.acquire()
        endpoint.write(
            self.state,
            endpoint.BrokerEndpoint(
                kind=self.broker.name,
                account=self.account.account_id,
                socket=str(parts.broker_socket(self._config, self.state)),
            ),
        )

    async def _disconnect(self) -> None:
        if hasattr(self, "broker"):
            if parts.owns_broker(self.state):
                # Its store stays, and the next start launches it again.
                with contextlib.suppress(BrokerUnavailable):
                    await self.broker.shut_down()
                parts.disown_broker(self.state)
            await self.broker.close()
        if hasattr(self, "_account_lock"):
            self._account_lock.release()

    async def _build(self) -> None:
        config = self._config
        self.book = parts.opening_book(config)
        self.gate = parts.session_gate(config, self.book, self.feed)
        self.states = TradingStates()
        self.states.restore(self.recalled.states)
        self.strategies = parts.session_strategies(config)
        self.shim = Shim(
            instance=self.instance,
            run_id=self.identity.run_id,
            broker=self.broker,
            journal=self.journal,
            gate=self.gate,
            book=self.book,
            states=self.states,
            clock=self.clock,
            session=self.days_at,
            settings=config.supervision,
            first_seq=self.recalled.next_seq,
            armed=lambda: None,
            unwell=self._unwell,
            barred=lambda: latch_reason(self.state),
            halted=lambda record, before: self.teller.state(record, before),
            approval=config.execution.approval,
            approval_minutes=config.execution.approval_minutes,
        )
        self.days = Days(
            self.book,
            self.clock,
            self._calendar,
            self.feed.actions(),
            self.broker.corporate_action,
        )
        self.metrics = Metrics(
            version=__version__,
            mode=self.identity.mode,
            folder=self.state,
            strategies=[one.name for one in self.strategies],
        )
        self._logs.count_in(self.metrics)
        self.metrics.started(self.identity.started)
        self.metrics.before_scrape(lambda: self.board.measure())
        self.teller = Teller(
            self.events, self.alerts.emit, self.clock.now, self.wall, self.metrics.denial
        )
        self.shim.listen(self.teller.order)
        self.shim.listen(OrderMetrics(self.metrics))
        self.limits = LimitOverrides(
            self.gate,
            config.risk,
            self.wall,
            lambda saved: self._mark(OVERRIDES, saved.decode()),
        )
        self.limits.restore(self.recalled.marks.get(OVERRIDES, "").encode())
        self.keeper = StateKeeper(self.states, self.journal, self.wall, self.teller.state)
        self.flattener = Flattener(self.keeper, self.shim)
        self.engine = LiveEngine(
            strategies=self.strategies,
            instruments=self.feed.instruments(),
            resolution=self.feed.resolution,
            shim=self.shim,
            book=self.book,
            clock=self.clock,
            calendar=self._calendar,
            journal=self.journal,
            run_id=self.identity.run_id,
            on_fault=self._strategy_fault,
            actions=self.feed.actions(),
            equity_every=self._mode.equity_every,
        )
        self.scheduler = Scheduler(
            session_jobs(config.schedule, session_work(self)),
            self.clock,
            self._calendar,
            self.journal,
            self.alerts.emit,
            grace_minutes=config.schedule.grace_minutes,
            absence_counts=not self.feed.replayed,
        )
        self.timer_jobs = TimerJobs(self.journal, self.alerts.emit, self.recalled.marks)
        self.pump = Pump(
            feed=self.feed,
            clock=self.clock,
            days=self.days,
            shim=self.shim,
            engine=self.engine,
            journal=self.journal,
            sink=self.broker,
            settle=self._settle,
            taken=self.broker.drained,
            after=self._after_batch,
        )
        self._monitor()
        self.board = StatusBoard(self)
        await self.journal.write(
            parts.run_row(self.identity, self.loaded, self.feed.label),
            self._audit("start", f"{__version__} {self.loaded.hash[:12]} {self.feed.label}"),
        )

    def _monitor(self) -> None:
        limits = lambda: self._config.supervision  # noqa: E731 - read anew after a reload
        loop = asyncio.get_running_loop()
        self.lag = LagSampler()
        self.pinger = Pinger(self.broker.ping, limits, loop.time)
        self.silence = SilenceWatch(loop.time)
        fired = self.recalled.marks.get(FIRED, "").split(",")
        self.kill_switch = KillSwitchWatch(
            KillSwitch(limits, fired=fired),
            book=self.book,
            shim=self.shim,
            feed=self.feed,
            silence=self.silence,
            due=self._data_due,
            state=self.state,
            keeper=self.keeper,
            flattener=self.flattener,
            journal=self.journal,
            emit=self.alerts.emit,
            spawn=lambda name, work: self.tasks.spawn(name, work, eternal=False),
            wall=self.wall,
        )
        checks = session_checks(
            limits=limits,
            engine=self.engine,
            journal=self.journal,
            broker=self.broker,
            shim=self.shim,
            feed=self.feed,
            pinger=self.pinger,
            silence=lambda: self.kill_switch.seconds_silent,
            lag=self.lag,
            state=self.state,
            wall=self.wall,
        )
        self.health = HealthMonitor(checks, self.wall, self._health_changed)
        self.heartbeat = Heartbeat(self.health, self._notifier, after=self._looked)

    async def _serve(self) -> None:
        self.reloader = Reloader(self, self._load_again)
        facts = Facts(
            instance=self.instance,
            live=self.identity.mode == "live",
            strategies=[one.name for one in self.strategies],
            symbols=[one.symbol for one in self.feed.instruments()],
            journal_file=self.journal.path,
            status=self.board.status,
            health=self.board.health,
            jobs=self.board.jobs,
            config=self.board.config,
            positions=self.board.positions,
            reload=self.reloader.reload,
            run_job=self._run_job,
            report_job=self.timer_jobs.report,
            set_log_level=self._set_log_level,
            acknowledge=self.alerts.acknowledge,
            approve=lambda order_id, why: self._decide(self.shim.approve, order_id, why),
            reject=lambda order_id, why: self._decide(self.shim.reject, order_id, why),
            adopt=self._adopt,
            latched=self.kill_switch.stands,
            resumed=self.kill_switch.reset,
            drills=session_drills(self),
            trades=lambda last: recent_trades(self.journal.path, last),
            orders_today=self.board.orders_today,
        )
        self.operator = SessionOperator(
            facts,
            keeper=self.keeper,
            flattener=self.flattener,
            shim=self.shim,
            limits=self.limits,
            journal=self.journal,
            events=self.events,
            wall=self.wall,
        )
        passed = listen_fds().get("control", [])
        self._control = ControlServer(
            self.operator,
            socket=passed[0] if passed else own_socket(self.instance, os.environ),
            viewers_gid=_group(VIEWERS),
            operators_gid=_group(OPERATORS),
        )
        await self._control.start()
        telemetry = self._config.telemetry
        self._metrics_server: MetricsServer | None = None
        if telemetry.metrics_port:
            self._metrics_server = MetricsServer(
                self.metrics,
                telemetry.metrics_host,
                telemetry.metrics_port,
                ready=lambda: self.phase == "TRADING" and self.health.ready,
                readings=self.health.readings,
            )
            await self._metrics_server.start()

    async def _stop_serving(self) -> None:
        if hasattr(self, "_control"):
            await self._control.stop(grace=1.0)
        if getattr(self, "_metrics_server", None) is not None:
            await self._metrics_server.stop()  # type: ignore[union-attr]  # looked at above

    async def _reconcile(self) -> None:
        self.phase = "RECONCILING"
        await self.shim.start(self.recalled)
        self.days.start(self.clock.now())
        self.opening_equity = self.book.equity

    async def _stop_shim(self) -> None:
        await self.shim.stop()

    async def _call_off(self) -> None:
        """End the shim; when somebody asked for the stop, entries of before do not stay either."""
        if self.stopping.is_set() and self.shim.ready:
            await self._cancel_orders()
        await self.shim.stop()

    async def _start_engine(self) -> None:
        self.phase = "WARMING_UP"
        await self.engine.start()

    async def _stop_engine(self) -> None:
        await self.engine.stop()

    async def _warm_up(self) -> None:
        history = await self.feed.history(self._resume, self._mode.warm_up_bars)
        await self.engine.warm_up(history)
        self.scheduler.start(self.recalled.marks)

    async def _supervise(self) -> None:
        self.silence.heard()
        self.lag.forget()
        self.kill_switch.go_on(self.states.snapshot())
        self.kill_switch.look()
        self.tasks.spawn("broker ping", self.pinger.run())
        self.tasks.spawn("loop lag", self.lag.run())
        await self._progress_seen()
        self.tasks.spawn("heartbeat", self.heartbeat.run())
        self.tasks.spawn("reconcile", self._compare_often())

    async def _progress_seen(self) -> None:
        """Wait until everything that must make progress has been seen to make it.

        READY is a promise: strategy timers fire, the journal commits, the broker answers. What a
        person must decide (a mismatch with the broker) does not hold it up: the account is halted
        then, and somebody must be able to say so.
        """
        loop = asyncio.get_running_loop()
        limits = self._config.supervision
        # Twice the longest time after which standing still is a failure: 20 s by default.
        deadline = loop.time() + 2 * max(
            limits.strategy_stall_seconds,
            limits.journal_stall_seconds,
            limits.ping_every_seconds + limits.ping_seconds,
        )
        while True:
            await self.journal.write()
            self.health.evaluate()
            missing = [
                one
                for one in self.health.readings()
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

    async def _stop_tasks(self) -> None:
        await self.tasks.stop(grace=1.0)

    # -- run ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Trade until the feed ends, somebody stops it, or something breaks."""
        pumping = self.tasks.spawn("feed", self._pump(), eternal=False)
        stopped = asyncio.create_task(self.stopping.wait(), name="stop asked")
        ended = asyncio.ensure_future(pumping)
        while not self.stopping.is_set():
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not self.stopping.is_set():
                if self._config.feed.at_end == "stay" and not ended.cancelled():
                    await stopped
                    break
                self.ask_to_stop("the replay is over")
        stopped.cancel()

    async def _pump(self) -> None:
        if self._first is not None and self._batches is not None:
            await self.pump.one(self._first)
            await self.pump.run(self._batches)
        self.teller.note("feed", f"{self.feed.label}: no more data")

    def ask_to_stop(self, why: str, code: ExitCode = ExitCode.OK) -> None:
        """Begin the orderly stop; the first reason counts."""
        if not self.stopping.is_set():
            self.why, self._code = why, code
            self.stopping.set()

    # -- stop --------------------------------------------------------------------------------------

    async def stop(self) -> StopReport:
        """Stop in order: no new signals, cancels confirmed, positions as configured, flushed."""
        self.phase = "STOPPING"
        self._notifier.stopping(f"stopping: {self.why}")
        grace = self._config.supervision.stop_grace_seconds
        steps = [
            StopStep(name="stop new signals", run=self._stop_signals),
            # Longer than the shim waits by itself, so that it can say which orders are left.
            StopStep(name="cancel open orders", run=self._cancel_orders, seconds=grace + _GRACE),
        ]
        if self._mode.close_on_stop:
            steps.append(
                StopStep(
                    name="close positions", run=self._close_positions, seconds=2 * grace + _GRACE
                )
            )
        steps += [
            StopStep(name="stop the engine", run=self._stop_engine, seconds=15.0),
            StopStep(name="stop the jobs", run=self._stop_jobs),
            StopStep(name="write the end", run=self._write_end),
            StopStep(name="stop supervision", run=self._stop_tasks),
            StopStep(name="stop the order shim", run=self._stop_shim),
            StopStep(name="disconnect", run=self._disconnect),
            StopStep(name="close the feed", run=self._close_feed),
            StopStep(name="stop serving", run=self._stop_serving),
            StopStep(name="send the last alerts", run=self._stop_alerts, seconds=_GRACE + 1),
            StopStep(name="close the journal", run=self._close_journal, seconds=15.0),
            StopStep(name="release the instance", run=self._release),
        ]
        report = await shut_down(steps, progress=self._stopping, seconds=time.monotonic)
        gc.unfreeze()
        if not report.clean and self._code is ExitCode.OK:
            self._code = ExitCode.UNCLEAN_STOP
        return report

    @property
    def code(self) -> ExitCode:
        """What the process ends with."""
        return self._code

    def _stopping(self, text: str, seconds: float) -> None:
        log.info("stop %s", text)
        self._notifier.extend(seconds + _GRACE)
        self._notifier.status(f"stopping: {text}")

    async def _stop_signals(self) -> None:
        for task in asyncio.all_tasks():
            if task.get_name() == "feed" and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _cancel_orders(self) -> str:
        await self.shim.cancel_all(Scope(), reason=f"stop: {self.why}", author="daemon")
        left = self.shim.unconfirmed
        return f"{len(left)} orders not confirmed: {', '.join(left)}" if left else ""

    async def _close_positions(self) -> str:
        flat = await self.shim.flatten(Scope(), reason="close_on_stop", author="daemon")
        return "" if flat else "positions are not proven flat"

    async def _stop_jobs(self) -> str:
        late = await self.scheduler.stop(grace=_GRACE)
        return f"jobs cut short: {', '.join(late)}" if late else ""

    async def _write_end(self) -> None:
        self.shim.save_book()
        row = parts.run_row(self.identity, self.loaded, self.feed.label)
        ended = msgspec.structs.replace(row, ended=self.wall(), outcome=self.why)
        await self.journal.write(ended, self._audit("stop", self.why))

    # -- what happens meanwhile --------------------------------------------------------------------

    def days_at(self, ts: int) -> ExchangeSession | None:
        """Return the session of the day that a data time lies in."""
        return self._calendar.at(ts)

    def _data_due(self) -> bool:
        now = self.clock.now()
        session = self._calendar.at(now)
        pumping = any(name == "feed" for name in self.tasks.names)
        return pumping and session is not None and now < session.close_ns

    async def _settle(self) -> None:
        """Let orders and jobs come to rest between two batches of a replay."""
        patience = self._config.supervision.command_seconds
        await self.scheduler.settle(patience)
        # A fill sends its stop, an exit first takes its stop back: at rest is what says the same
        # twice. Whoever does not answer is left to the health checks.
        before, rounds = -1, 0
        with contextlib.suppress(BrokerUnavailable):
            while await self.shim.settled(patience) and rounds < _ROUNDS:
                last = await self.broker.caught_up()
                if last == before:
                    return
                before, rounds = last, rounds + 1

    def _after_batch(self, batch: Batch, seconds: float) -> None:
        self.silence.heard()
        self.metrics.batch(
            bars=len(batch.bars),
            data_ns=batch.ts,
            wall_ns=self.wall(),
            replayed=self.feed.replayed,
        )
        self.metrics.batch_done(seconds)
        self.shim.save_book()
        self.kill_switch.look()

    def _looked(self, live: bool) -> None:
        """Once a second: kill switch, expiries, numbers, the STATUS line."""
        if self.phase == "STOPPING":
            return
        self.kill_switch.look(account=not self.feed.replayed)
        self.keeper.expire()
        for key in self.limits.expire():
            self.teller.note("limit", f"the override of {key} is over")
        if live:
            self.metrics.heartbeat(self.wall())
        self._notifier.status(self.board.line())

    def _unwell(self) -> str | None:
        if self.stopping.is_set():
            return f"the daemon is stopping: {self.why}"
        blocking = self.health.blocking
        return f"{blocking[0].name}: {blocking[0].value}" if blocking else None

    def _health_changed(self, reading: Reading, before: Reading | None) -> None:
        if self.phase != "TRADING":
            return
        was = before.grade.value if before else "OK"
        self.teller.note(
            "health",
            f"{reading.name}: {was} -> {reading.grade}: {reading.value}",
            level=logging.INFO if reading.grade is Grade.OK else logging.WARNING,
        )
        self.alerts.emit(health_alert(reading))

    def _strategy_fault(self, error: BaseException, strategy: str) -> None:
        """Halt a strategy whose handler raised: a bug must never look like a quiet day."""
        log.error("strategy %s raised", strategy, exc_info=error)
        scope = Scope() if strategy == "engine" else Scope("strategy", strategy)
        record = self.keeper.now(
            scope,
            TradingState.HALTED,
            reason=f"{type(error).__name__}: {error}",
            author="strategy fault",
            minutes=None,
        )
        self.keeper.set_soon(record)
        self.tasks.spawn("halt a strategy", self._cancel_scope(scope), eternal=False)

    async def _cancel_scope(self, scope: Scope) -> None:
        await self.shim.cancel_all(scope, reason="strategy fault", author="daemon")

    def _fault(self, fault: Fault) -> None:
        error = fault.error
        code = error.code if isinstance(error, Failure) else ExitCode.BUG
        self.alerts.emit(
            Alert(
                key=f"task:{fault.task}",
                severity=Severity.PAGE,
                title=f"{fault.task} failed: {error}",
                next_step="read the log; the daemon stops in order",
            )
        )
        self.ask_to_stop(f"{fault.task} failed: {error}", code)

    # -- small verbs -------------------------------------------------------------------------------

    async def _run_job(self, name: str) -> str:
        row = await self.scheduler.run_now(name, by="operator")
        return f"{row.status} {row.detail}".strip()

    async def _adopt(self, reason: str, author: str) -> tuple[Sequence[str], Sequence[str]]:
        """Book what others traded; return that, and what still differs."""
        adopted = await self.shim.adopt(reason=reason, author=author)
        # Who resumes next must not find entries denied until the next look.
        self.health.evaluate()
        found = self.shim.reconciliation
        return adopted, (*found.mismatches, *found.foreign)

    async def _compare_often(self) -> None:
        """Compare with the broker for ever; what differs halts, and is told by the check."""
        while True:
            await asyncio.sleep(_COMPARE_SECONDS)
            with contextlib.suppress(BrokerUnavailable):
                await self.shim.reconcile()

    async def _decide(self, act: Callable[[str], bool], order_id: str, why: str) -> bool:
        decided = act(order_id)
        if decided:
            self.teller.note("approval", f"{order_id}: {why}")
        return decided

    def _set_log_level(self, level: str, minutes: int | None) -> str:
        before = self._logs.set_level(level)
        if minutes is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(60 * minutes, self._logs.set_level, before)
        return before

    def use(self, loaded: Loaded) -> None:
        """Take a reloaded configuration."""
        self.loaded = loaded
        self._config = loaded.config

    def set_level(self, level: str) -> None:
        """Log from this level on."""
        self._logs.set_level(level)

    def reloading(self) -> None:
        """Tell systemd that a reload begins."""
        self._notifier.reloading("reloading")

    def reloaded(self) -> None:
        """Tell systemd that it is over."""
        self._notifier.ready(self.board.line())

    def _mark(self, key: str, value: str) -> None:
        self.journal.write(MarkRow(key=key, value=value))

    def _audit(self, action: str, detail: str) -> AuditRow:
        return AuditRow(
            actor="daemon",
            action=action,
            subject=self.identity.run_id,
            detail=detail,
            wall=self.wall(),
            uid=os.getuid(),
            pid=os.getpid(),
        )

    @property
    def marks(self) -> Mapping[str, str]:
        """What the journal knew by name at the start."""
        return self.recalled.marks

    @property
    def replay_clock(self) -> ReplayClock | None:
        """The clock of a replay."""
        return self.clock if isinstance(self.clock, ReplayClock) else None

    def end_row(self) -> RunRow:
        """Return the row of this run, as far as it is known."""
        return parts.run_row(self.identity, self.loaded, self.feed.label)


def _group(name: str) -> int | None:
    """Return a group's id; None on a machine without it: then the owner and root only."""
    try:
        return group_id(name)
    except Failure:
        return None
