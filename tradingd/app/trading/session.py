"""One trading session from start to stop: the order of both, and what runs in between."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from tradingd.app.trading import parts
from tradingd.app.trading.arming import ArmingDesk
from tradingd.app.trading.bring_down import BringDown
from tradingd.app.trading.bring_up import BringUp
from tradingd.app.trading.commands import Flattener, StateKeeper
from tradingd.app.trading.days import Days
from tradingd.app.trading.front import Front
from tradingd.app.trading.limits import LimitOverrides
from tradingd.app.trading.live_market import LiveMarket
from tradingd.app.trading.operator import SessionOperator
from tradingd.app.trading.pump import Pump
from tradingd.app.trading.recording import Recording
from tradingd.app.trading.reloading import Reloader
from tradingd.app.trading.serving import SessionModel
from tradingd.app.trading.status import StatusBoard
from tradingd.app.trading.supervision import KillSwitchWatch
from tradingd.app.trading.telling import Teller
from tradingd.app.trading.timer_jobs import TimerJobs
from tradingd.app.trading.watch import Watch
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.config.load import Loaded
from tradingd.control.events import EventHub
from tradingd.daemon.drift import DriftMeter
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.heartbeat import Heartbeat
from tradingd.daemon.lag import LagSampler
from tradingd.daemon.lock import AccountLock
from tradingd.daemon.pinger import Pinger
from tradingd.daemon.scheduler import Scheduler
from tradingd.daemon.silence import SilenceWatch
from tradingd.domain.alerts import Alert, Severity
from tradingd.domain.broker import Broker
from tradingd.domain.broker_reports import BrokerAccount
from tradingd.domain.feed import Batch, Feed
from tradingd.domain.journal import AuditRow, MarkRow
from tradingd.domain.market import Instrument
from tradingd.domain.market import Session as ExchangeSession
from tradingd.domain.money import Nanos
from tradingd.domain.recall import Recalled
from tradingd.engine.live.node import LiveEngine
from tradingd.engine.strategy import Strategy
from tradingd.gate.arming import Arming
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.notify_socket import Notifier
from tradingd.kits.tasks import Fault, Tasks
from tradingd.notify.router import AlertRouter
from tradingd.orders.shim import Shim
from tradingd.session.clock import SessionClock
from tradingd.telemetry.logs import Logging
from tradingd.telemetry.metrics import Metrics


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

    # Joined by `bring_up`, in this order; nothing is there before its step.
    instance_lock: AccountLock
    identity: parts.Identity
    alerts: AlertRouter
    feed: Feed
    watched: frozenset[str]
    clock: SessionClock
    resume_after: int
    broker: Broker
    simulated: SimulatedBroker | None
    account_lock: AccountLock
    book: Book
    gate: Gate
    states: TradingStates
    arming_desk: ArmingDesk
    strategies: Sequence[Strategy]
    shim: Shim
    days: Days
    metrics: Metrics
    teller: Teller
    limits: LimitOverrides
    keeper: StateKeeper
    flattener: Flattener
    engine: LiveEngine
    scheduler: Scheduler
    timer_jobs: TimerJobs
    pump: Pump
    lag: LagSampler
    arming: Arming
    pinger: Pinger
    drift: DriftMeter | None
    market: LiveMarket
    silence: SilenceWatch
    kill_switch: KillSwitchWatch
    health: HealthMonitor
    heartbeat: Heartbeat
    board: StatusBoard
    reloader: Reloader
    operator: SessionOperator
    recording: Recording
    serving: SessionModel | None

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
        self.load_again = load_again
        self.notifier = notifier
        self.logs = logs
        self.wall = time.time_ns
        self.config = loaded.config
        self.mode = parts.session_mode(loaded.config)
        self.calendar = parts.session_calendar(loaded.config)
        self.tasks = Tasks(self._fault)
        # Numbers that rise over a restart, so that a reader can go on.
        self.events = EventHub(first=time.time_ns() // 1_000_000)
        self.recalled = Recalled()
        self.account = BrokerAccount(account_id="", cash=0, equity=0)
        self.journal = SqliteJournal(state / parts.JOURNAL_FILE)
        self.opening_equity: Nanos = 0
        self.batches: AsyncIterator[Batch] | None = None
        self.first_batch: Batch | None = None
        self.ended_with = ExitCode.OK
        self.up = BringUp(self)
        self.down = BringDown(self)
        self.watch = Watch(self)
        self.front = Front(self)

    async def run(self) -> None:
        """Trade until the feed ends, somebody stops it, or something breaks."""
        pumping = self.tasks.spawn("feed", self._pumped(), eternal=False)
        stopped = asyncio.create_task(self.stopping.wait(), name="stop asked")
        ended = asyncio.ensure_future(pumping)
        while not self.stopping.is_set():
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not self.stopping.is_set():
                if self.config.feed.at_end == "stay" and not ended.cancelled():
                    await stopped
                    break
                self.ask_to_stop("the replay is over")
        stopped.cancel()

    async def _pumped(self) -> None:
        if self.first_batch is not None:
            await self.pump.one(self.first_batch)
        if self.batches is not None:
            await self.pump.run(self.batches)
        self.teller.note("feed", f"{self.feed.label}: no more data")

    def ask_to_stop(self, why: str, code: ExitCode = ExitCode.OK) -> None:
        """Begin the orderly stop; the first reason counts."""
        if not self.stopping.is_set():
            self.why, self.ended_with = why, code
            self.stopping.set()

    @property
    def code(self) -> ExitCode:
        """What the process ends with."""
        return self.ended_with

    @property
    def instruments(self) -> Sequence[Instrument]:
        """What may be traded: the feed's symbols but those that are only watched."""
        return [one for one in self.feed.instruments() if one.symbol not in self.watched]

    @property
    def symbols(self) -> list[str]:
        """Symbols of `instruments`."""
        return [one.symbol for one in self.instruments]

    def days_at(self, ts: int) -> ExchangeSession | None:
        """Return the session of the day that a data time lies in."""
        return self.calendar.at(ts)

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

    def use(self, loaded: Loaded) -> None:
        """Take a reloaded configuration."""
        self.loaded = loaded
        self.config = loaded.config

    def set_level(self, level: str) -> None:
        """Log from this level on."""
        self.logs.set_level(level)

    def reloading(self) -> None:
        """Tell systemd that a reload begins."""
        self.notifier.reloading("reloading")

    def reloaded(self) -> None:
        """Tell systemd that it is over."""
        self.notifier.ready(self.board.line())

    def mark(self, key: str, value: str) -> None:
        """Keep a named value for a restart."""
        self.journal.write(MarkRow(key=key, value=value))

    def audit_row(self, action: str, detail: str) -> AuditRow:
        """Return an audit record of the daemon itself."""
        return AuditRow(
            actor="daemon",
            action=action,
            subject=self.identity.run_id,
            detail=detail,
            wall=self.wall(),
            uid=os.getuid(),
            pid=os.getpid(),
        )
