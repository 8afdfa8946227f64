"""A daemon's parts as plain numbers that a test turns, on a clock that it moves."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

import pytest

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.checks.broker import BrokerCheck
from tradingd.daemon.checks.feed import FeedCheck
from tradingd.daemon.checks.journal import JournalCheck
from tradingd.daemon.checks.loop import LoopCheck
from tradingd.daemon.checks.machine import ClockCheck, CpuCheck, DiskCheck, MemoryCheck
from tradingd.daemon.checks.orders import (
    BrokerErrorsCheck,
    ExecutionLatencyCheck,
    PendingOrdersCheck,
    UnknownOrdersCheck,
)
from tradingd.daemon.checks.reconciliation import ReconciliationCheck
from tradingd.daemon.checks.strategy_timer import StrategyTimerCheck
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.kernel_clock import ClockState
from tradingd.daemon.lag import Lag
from tradingd.daemon.pinger import Ping
from tradingd.daemon.readings import DiskSpace
from tradingd.daemon.silence import SilenceWatch
from tradingd.domain.health import Grade, Reading
from tradingd.domain.journal import Record

SECOND = 1_000_000_000


class StubbornJournal:
    """Implements the journal's Protocol over two numbers."""

    def __init__(self) -> None:
        self.oldest_pending = 0.0
        self.failure: BaseException | None = None

    def write(self, *records: Record) -> Awaitable[None]:
        raise NotImplementedError


@dataclass
class Parts:
    """Everything the checks read; `pass_time` lets what is not frozen make progress."""

    now: float = 1_000.0
    limits: SupervisionConfig = field(default_factory=SupervisionConfig)
    counts: dict[str, int] = field(default_factory=lambda: {"one": 1, "two": 1})
    journal: StubbornJournal = field(default_factory=StubbornJournal)
    market_open: bool = True
    between: float = 1.0
    ping: Ping = field(default_factory=lambda: Ping(answered=1_000.0, round_trip=0.01, trouble=""))
    connected: bool = True
    unknown: list[float] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)
    errors: int = 0
    slowest: float | None = None
    mismatches: list[str] | None = field(default_factory=list)
    lag: Lag = field(default_factory=lambda: Lag(samples=10, p50_ms=0.1, max_ms=1.0))
    memory: float = 20.0
    cpu: float = 20.0
    disk: DiskSpace = field(default_factory=lambda: DiskSpace(free_percent=50, free_gb=100))
    clock: ClockState = field(
        default_factory=lambda: ClockState(synchronised=True, offset_ms=1.0, why="kernel")
    )
    frozen: set[str] = field(default_factory=set)
    changes: list[tuple[str, Grade]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.silence = SilenceWatch(self.seconds)
        self.monitor = HealthMonitor(
            [
                StrategyTimerCheck(lambda: self.counts, lambda: self.limits, self.seconds),
                JournalCheck(self.journal, lambda: self.limits),
                FeedCheck(
                    lambda: self.silence.poll(due=self.market_open),
                    lambda: self.between,
                    lambda: self.limits,
                ),
                BrokerCheck(
                    lambda: self.ping, lambda: self.connected, lambda: self.limits, self.seconds
                ),
                BrokerErrorsCheck(lambda: self.errors, lambda: self.limits),
                UnknownOrdersCheck(lambda: self.unknown, lambda: self.limits),
                PendingOrdersCheck(lambda: self.pending, lambda: self.limits),
                ReconciliationCheck(lambda: self.mismatches),
                LoopCheck(lambda: self.lag, lambda: self.limits),
                ExecutionLatencyCheck(lambda: self.slowest, lambda: self.limits),
                MemoryCheck(lambda: self.memory, lambda: self.limits),
                CpuCheck(lambda: self.cpu, lambda: self.limits),
                DiskCheck(lambda: self.disk, lambda: self.limits),
                ClockCheck(lambda: self.clock, lambda: self.limits),
            ],
            self.clock_ns,
            lambda reading, before: self.changes.append((reading.name, reading.grade)),
        )

    def seconds(self) -> float:
        return self.now

    def clock_ns(self) -> int:
        return int(self.now * SECOND)

    def pass_time(self, seconds: float) -> None:
        """Let every part that is not frozen make progress for a while."""
        self.now += seconds
        if "strategy" not in self.frozen:
            self.counts = {name: count + 1 for name, count in self.counts.items()}
        elif "two" in self.frozen:
            self.counts["one"] += 1
        self.journal.oldest_pending = (
            self.journal.oldest_pending + seconds if "journal" in self.frozen else 0.0
        )
        if "feed" not in self.frozen:
            self.silence.heard()
        if "broker" not in self.frozen:
            self.ping = Ping(answered=self.now, round_trip=0.01, trouble="")

    def reading(self, name: str) -> Reading:
        """Evaluate and return one reading."""
        return next(one for one in self.monitor.evaluate() if one.name == name)


@pytest.fixture
def parts() -> Parts:
    """Return a healthy daemon."""
    return Parts()
