"""What happens while a session runs: each second, each batch, and when a part is unwell."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from tradingd.app.trading.supervision import (
    FIRED,
    KillSwitchWatch,
    health_alert,
    session_checks,
)
from tradingd.daemon.answers import AnswerTimes
from tradingd.daemon.drift import DriftMeter
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.heartbeat import Heartbeat
from tradingd.daemon.killswitch import KillSwitch
from tradingd.daemon.lag import LagSampler
from tradingd.daemon.pinger import Pinger
from tradingd.daemon.silence import SilenceWatch
from tradingd.domain.broker import BrokerClock, BrokerUnavailable
from tradingd.domain.feed import Batch
from tradingd.domain.health import Grade, Reading
from tradingd.domain.states import Scope, TradingState

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

log = logging.getLogger(__name__)


_ROUNDS = 20


class Watch:
    """Looks after a running session.

    Parameters
    ----------
    session : TradingSession
        Whose parts these are.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._one = session
        self._connected = True
        self._urgent: list[asyncio.Task[object]] = []

    def monitor(self) -> None:
        """Make the checks, the kill switch and the heartbeat."""
        limits = lambda: self._one.config.supervision  # noqa: E731 - read anew after a reload
        loop = asyncio.get_running_loop()
        self._one.lag = LagSampler()
        answers = AnswerTimes(loop.time)
        self._one.shim.listen(answers)
        self._one.pinger = Pinger(self._one.broker.ping, limits, loop.time)
        broker = self._one.broker
        self._one.drift = None
        if isinstance(broker, BrokerClock) and not self._one.feed.replayed:
            self._one.drift = DriftMeter(broker.time, self._one.wall)
        self._one.silence = SilenceWatch(loop.time)
        fired = self._one.recalled.marks.get(FIRED, "").split(",")
        self._one.kill_switch = KillSwitchWatch(
            KillSwitch(limits, fired=fired),
            book=self._one.book,
            shim=self._one.shim,
            feed=self._one.feed,
            silence=self._one.silence,
            due=self._data_due,
            state=self._one.state,
            keeper=self._one.keeper,
            flattener=self._one.flattener,
            journal=self._one.journal,
            emit=self._one.alerts.emit,
            spawn=self._spawn_urgent,
            wall=self._one.wall,
        )
        checks = session_checks(
            limits=limits,
            engine=self._one.engine,
            journal=self._one.journal,
            broker=self._one.broker,
            shim=self._one.shim,
            feed=self._one.feed,
            pinger=self._one.pinger,
            silence=lambda: self._one.kill_switch.seconds_silent,
            mute=lambda: self._one.market.mute,
            recording=lambda: (self._one.recording.state, self._one.recording.why),
            books_lost=self._one.recording.lost,
            model=lambda: ("none", "") if self._one.serving is None else self._one.serving.state,
            lag=self._one.lag,
            drift=lambda: None if self._one.drift is None else self._one.drift.last,
            slowest_answer=answers.slowest,
            state=self._one.state,
            wall=self._one.wall,
        )
        self._one.health = HealthMonitor(checks, self._one.wall, self._health_changed)
        self._one.heartbeat = Heartbeat(self._one.health, self._one.notifier, after=self._looked)

    def _data_due(self) -> bool:
        now = self._one.clock.now()
        session = self._one.calendar.at(now)
        pumping = any(name == "feed" for name in self._one.tasks.names)
        return pumping and session is not None and now < session.close_ns

    def _spawn_urgent(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        self._urgent.append(self._one.tasks.spawn(name, work, eternal=False))

    def judge(self) -> None:
        """Look at the account once strategies have acted on a batch."""
        self._one.kill_switch.look()

    async def settle(self) -> None:
        """Let orders and jobs come to rest between two batches of a replay."""
        patience = self._one.config.supervision.command_seconds
        await self._one.scheduler.settle(patience)
        if self._urgent:
            # Once: what it closes may fill in the next bar only.
            urgent, self._urgent = self._urgent, []
            await asyncio.wait(urgent, timeout=patience)
        # A fill sends its stop, an exit first takes its stop back: at rest is what says the same
        # twice. Whoever does not answer is left to the health checks.
        before, rounds, lockstep = -1, 0, self._one.simulated
        with contextlib.suppress(BrokerUnavailable):
            while await self._one.shim.settled(patience) and rounds < _ROUNDS:
                last = before if lockstep is None else await lockstep.caught_up()
                if last == before:
                    return
                before, rounds = last, rounds + 1

    def after_batch(self, batch: Batch, seconds: float) -> None:
        """Take note of a batch that is done."""
        self._one.silence.heard()
        self._one.metrics.batch(
            bars=len(batch.bars),
            data_ns=batch.ts,
            wall_ns=self._one.wall(),
            replayed=self._one.feed.replayed,
        )
        self._one.metrics.batch_done(seconds)
        self._one.shim.save_book()

    def _looked(self, live: bool) -> None:
        """Once a second: kill switch, expiries, numbers, the STATUS line."""
        if self._one.phase == "STOPPING":
            return
        self._one.kill_switch.look(account=not self._one.feed.replayed)
        if self._one.broker.connected and not self._connected:
            self._one.metrics.broker_reconnect()
        self._connected = self._one.broker.connected
        self._one.keeper.expire()
        self._one.arming_desk.look()
        for key in self._one.limits.expire():
            self._one.teller.note("limit", f"the override of {key} is over")
        if live:
            self._one.metrics.heartbeat(self._one.wall())
        self._one.notifier.status(self._one.board.line())

    def unwell(self) -> str | None:
        """Return why nothing may be opened now; None when it may."""
        if self._one.stopping.is_set():
            return f"the daemon is stopping: {self._one.why}"
        if self._one.pump.behind:
            return f"catching up: the bars are {self._one.pump.behind:.0f} s old"
        blocking = self._one.health.blocking
        return f"{blocking[0].name}: {blocking[0].value}" if blocking else None

    def _health_changed(self, reading: Reading, before: Reading | None) -> None:
        if self._one.phase != "TRADING":
            return
        was = before.grade.value if before else "OK"
        self._one.teller.note(
            "health",
            f"{reading.name}: {was} -> {reading.grade}: {reading.value}",
            level=logging.INFO if reading.grade is Grade.OK else logging.WARNING,
        )
        self._one.alerts.emit(health_alert(reading))

    def strategy_fault(self, error: BaseException, strategy: str) -> None:
        """Halt a strategy whose handler raised: a bug must never look like a quiet day."""
        log.error("strategy %s raised", strategy, exc_info=error)
        scope = Scope() if strategy == "engine" else Scope("strategy", strategy)
        record = self._one.keeper.now(
            scope,
            TradingState.HALTED,
            reason=f"{type(error).__name__}: {error}",
            author="strategy fault",
            minutes=None,
        )
        self._one.keeper.set_soon(record)
        self._one.tasks.spawn("halt a strategy", self._cancel_scope(scope), eternal=False)

    async def _cancel_scope(self, scope: Scope) -> None:
        await self._one.shim.cancel_all(scope, reason="strategy fault", author="daemon")

    async def compare_often(self) -> None:
        """Compare with the broker for ever; what differs halts, and is told by the check."""
        while True:
            await asyncio.sleep(self._one.config.supervision.reconcile_every_seconds)
            with contextlib.suppress(BrokerUnavailable):
                await self._one.shim.reconcile()
