"""Supervision of a session, wired: checks, heartbeat, kill switch, and what follows from them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from tradingd.app.trading.commands import NOT_PROVEN, Flattener, StateKeeper
from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.checks.broker import BrokerCheck
from tradingd.daemon.checks.check import Check
from tradingd.daemon.checks.drift import BrokerClockCheck
from tradingd.daemon.checks.feed import FeedCheck
from tradingd.daemon.checks.journal import JournalCheck
from tradingd.daemon.checks.loop import LoopCheck
from tradingd.daemon.checks.machine import ClockCheck, CpuCheck, DiskCheck, MemoryCheck
from tradingd.daemon.checks.model import ModelCheck
from tradingd.daemon.checks.mute import MuteCheck
from tradingd.daemon.checks.orders import (
    BrokerErrorsCheck,
    ExecutionLatencyCheck,
    PendingOrdersCheck,
    UnknownOrdersCheck,
)
from tradingd.daemon.checks.picture import PictureCheck
from tradingd.daemon.checks.protection import ProtectionCheck
from tradingd.daemon.checks.reconciliation import ReconciliationCheck
from tradingd.daemon.checks.recording import RecordingCheck
from tradingd.daemon.checks.strategy_timer import StrategyTimerCheck
from tradingd.daemon.drift import Drift
from tradingd.daemon.kernel_clock import clock_state
from tradingd.daemon.killswitch import KillSwitch, Observation, Remedy, Trip, remedy_of
from tradingd.daemon.lag import LagSampler
from tradingd.daemon.pinger import Pinger
from tradingd.daemon.readings import CpuMeter, disk_space, memory_percent
from tradingd.daemon.silence import SilenceWatch
from tradingd.daemon.stopfiles import flag_reason, latch_reason
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.broker import Broker
from tradingd.domain.feed import Feed
from tradingd.domain.health import Grade, Reading
from tradingd.domain.journal import Journal, MarkRow, OrderState
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.engine.live.node import LiveEngine
from tradingd.gate.book import Book
from tradingd.orders.shim import Shim

log = logging.getLogger(__name__)

AUTHOR = "kill switch"
_AGAIN_SECONDS, _LONGEST_AGAIN = 2.0, 120.0

FIRED = "kill_switch_fired"
"""Journal mark: names of the triggers that have fired and nobody has reset, comma separated."""


def session_checks(
    *,
    limits: Callable[[], SupervisionConfig],
    engine: LiveEngine,
    journal: Journal,
    broker: Broker,
    shim: Shim,
    feed: Feed,
    pinger: Pinger,
    silence: Callable[[], float | None],
    mute: Callable[[], Sequence[str]],
    recording: Callable[[], tuple[str, str]],
    books_lost: Callable[[], int],
    model: Callable[[], tuple[str, str]],
    lag: LagSampler,
    drift: Callable[[], Drift | None],
    slowest_answer: Callable[[], float | None],
    state: Path,
    wall: Callable[[], int],
) -> Sequence[Check]:
    """Return every check of a session, the ones that stop the beat first."""
    seconds = asyncio.get_running_loop().time

    def ages(*kinds: OrderState) -> list[float]:
        now, answering = wall(), limits().command_seconds
        found = [(now - row.wall) / 1e9 for row in shim.unknown_orders() if row.state in kinds]
        # Younger ones are on their way: the broker may still answer in time.
        return [age for age in found if age > answering]

    def mismatches() -> Sequence[str] | None:
        found = shim.reconciliation
        return (*found.mismatches, *found.foreign) if found.wall else None

    return (
        StrategyTimerCheck(lambda: engine.timer_progress, limits, seconds),
        JournalCheck(journal, limits),
        MuteCheck(mute),
        FeedCheck(silence, lambda: feed.seconds_between, limits),
        BrokerCheck(lambda: pinger.last, lambda: broker.connected, limits, seconds),
        ReconciliationCheck(mismatches),
        ProtectionCheck(shim.unprotected, shim.strays, limits, seconds),
        ModelCheck(model),
        PictureCheck(engine.picture_differences, limits, seconds),
        ExecutionLatencyCheck(slowest_answer, limits),
        BrokerErrorsCheck(lambda: shim.broker_errors(wall()), limits),
        UnknownOrdersCheck(lambda: ages(*OrderState), limits),
        PendingOrdersCheck(lambda: ages(OrderState.INTENT, OrderState.UNKNOWN), limits),
        LoopCheck(lag.window, limits),
        MemoryCheck(memory_percent, limits),
        CpuCheck(CpuMeter(), limits),
        DiskCheck(lambda: disk_space(state), limits),
        ClockCheck(clock_state, limits),
        BrokerClockCheck(drift, limits),
        RecordingCheck(recording, books_lost),
    )


def health_alert(reading: Reading) -> Alert:
    """Return what a person hears of a check that changed its grade."""
    severity = Severity.PAGE if reading.grade is Grade.FAILED else Severity.WARN
    return Alert(
        key=f"health:{reading.name}",
        severity=severity,
        title=f"{reading.name} {reading.grade}: {reading.value}",
        body=f"Allowed: {reading.limit}. {reading.action}".strip(),
        next_step=reading.next_step or "tradingctl health",
        resolved=reading.grade is Grade.OK,
    )


class KillSwitchWatch:
    """Looks at the triggers and carries out what they demand.

    Parameters
    ----------
    switch : KillSwitch
        The triggers.
    book, shim, feed : Book, Shim, Feed
        What is observed.
    silence : SilenceWatch
        Seconds without data.
    due : Callable
        Whether data is due now.
    state : Path
        Folder of the flag file and the latch.
    keeper, flattener : StateKeeper, Flattener
        How a trip acts.
    journal, emit, spawn, wall
        Where it is kept, who is told, how a task is run, the wall clock.
    """

    def __init__(
        self,
        switch: KillSwitch,
        *,
        book: Book,
        shim: Shim,
        feed: Feed,
        silence: SilenceWatch,
        due: Callable[[], bool],
        state: Path,
        keeper: StateKeeper,
        flattener: Flattener,
        journal: Journal,
        emit: Emit,
        spawn: Callable[[str, Coroutine[Any, Any, object]], object],
        wall: Callable[[], int],
    ) -> None:
        self._switch = switch
        self._book = book
        self._shim = shim
        self._feed = feed
        self._silence = silence
        self._due = due
        self._state = state
        self._keeper = keeper
        self._flattener = flattener
        self._journal = journal
        self._emit = emit
        self._spawn = spawn
        self._wall = wall
        self.seconds_silent: float | None = None

    def look(self, *, account: bool = True) -> tuple[Trip, ...]:
        """Observe once; act on what fires.

        A replay looks at the account (`account`) batch by batch only: by the wall clock it would
        see other days at another speed.
        """
        self.seconds_silent = self._silence.poll(due=self._due())
        trips = self._switch.judge(
            Observation(
                equity=self._book.equity if account else self._book.day_peak,
                day_peak=self._book.day_peak,
                broker_errors=self._shim.broker_errors(self._wall()),
                silence=self.seconds_silent,
                seconds_between=self._feed.seconds_between,
                flag=flag_reason(self._state),
                latch=latch_reason(self._state),
            )
        )
        if trips:
            self._act(trips)
        return trips

    def stands(self) -> str | None:
        """Return what holds the kill switch from outside: flag or latch; None when nothing."""
        return latch_reason(self._state) or flag_reason(self._state)

    def reset(self) -> None:
        """Arm the triggers again: an operator has resumed."""
        if self._switch.reset():
            self._remember()

    def go_on(self, records: Sequence[StateRecord]) -> None:
        """Finish the flattenings that an earlier process began; `records` are its states."""
        if latch_reason(self._state) is not None:
            return
        for record in records:
            scope, ours = record.scope, record.author == AUTHOR
            reason = record.reason.removeprefix(NOT_PROVEN)
            work: Coroutine[Any, Any, object]
            if ours and (
                record.state is TradingState.FLATTENING or record.reason.startswith(NOT_PROVEN)
            ):
                work = self._flatten(scope, reason)
            elif record.state is TradingState.FLATTENING:
                work = self._flattener.flatten(
                    scope, reason=reason, author=record.author, then=TradingState.FLAT
                )
            else:
                continue
            self._spawn(f"flatten {scope}", work)

    def _act(self, trips: tuple[Trip, ...]) -> None:
        reason = "; ".join(trip.reason for trip in trips)
        author = AUTHOR
        log.critical("kill switch: %s", reason, extra={"fields": {"event": "kill_switch"}})
        record = self._keeper.now(
            Scope(), TradingState.HALTED, reason=reason, author=author, minutes=None
        )
        self._keeper.set_soon(record)
        self._remember()
        self._emit(
            Alert(
                key="kill_switch",
                severity=Severity.PAGE,
                title=f"kill switch: {reason}",
                body="Trading is halted until somebody resumes.",
                next_step="tradingctl health; tradingctl resume when the cause is gone",
            )
        )
        if remedy_of(trips) is Remedy.FLATTEN:
            work: Coroutine[Any, Any, object] = self._flatten(Scope(), reason)
        else:
            work = self._cancel(reason, author)
        self._spawn("kill switch", work)

    async def _flatten(self, scope: Scope, reason: str) -> None:
        """Flatten, again and again until the broker proves it or somebody resumes.

        A broker that is away when the switch trips must find it still wanting when it is back.
        """
        wait = _AGAIN_SECONDS
        while not await self._flattener.flatten(
            scope, reason=reason, author=AUTHOR, then=TradingState.HALTED
        ):
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_AGAIN)
            latched = latch_reason(self._state) is not None
            if latched or self._keeper.current(scope) is not TradingState.HALTED:
                return

    async def _cancel(self, reason: str, author: str) -> None:
        await self._shim.cancel_all(Scope(), reason=reason, author=author)

    def _remember(self) -> None:
        fired = ",".join(sorted(self._switch.fired))
        self._journal.write(MarkRow(key=FIRED, value=fired))
