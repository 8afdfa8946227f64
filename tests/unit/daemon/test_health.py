"""The monitor: grades, since when, who hears, and each check at its limit."""

import asyncio
import math

import msgspec
import pytest

from tradingd.daemon.checks.check import Finding, spoken
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.kernel_clock import ClockState, clock_state, judge
from tradingd.daemon.lag import Lag, LagSampler
from tradingd.daemon.pinger import Ping, Pinger
from tradingd.daemon.readings import CpuMeter, DiskSpace, disk_space, memory_percent
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.health import Grade, Reading

OK, DEGRADED, FAILED = Grade.OK, Grade.DEGRADED, Grade.FAILED


class Fixed:
    """A check whose finding a test sets."""

    def __init__(self, name: str = "fixed", *, beats: bool = False, critical: bool = False) -> None:
        self.name, self.beats, self.critical = name, beats, critical
        self.grade = OK
        self.error: Exception | None = None

    def look(self) -> Finding:
        if self.error:
            raise self.error
        return Finding(grade=self.grade, value="v", limit="l")


def test_since_is_the_time_of_the_last_change_of_grade() -> None:
    check, now = Fixed(), [100]
    monitor = HealthMonitor([check], lambda: now[0], lambda reading, before: None)
    for tick, grade in ((100, OK), (200, OK), (300, DEGRADED), (400, DEGRADED), (500, OK)):
        now[0], check.grade = tick, grade
        monitor.evaluate()
        expected = {100: 100, 200: 100, 300: 300, 400: 300, 500: 500}[tick]
        assert monitor.readings()[0].since == expected


def test_changes_are_told_once_with_the_reading_before() -> None:
    check, heard = Fixed(), []
    monitor = HealthMonitor(
        [check], lambda: 1, lambda reading, before: heard.append((reading, before))
    )
    for grade in (OK, OK, FAILED, FAILED, DEGRADED, OK):
        check.grade = grade
        monitor.evaluate()
    told = [(now.grade, before.grade) for now, before in heard]
    assert told == [(FAILED, OK), (DEGRADED, FAILED), (OK, DEGRADED)]


def test_a_check_that_is_broken_from_the_start_is_told_without_a_before() -> None:
    check, heard = Fixed(), []
    check.grade = DEGRADED
    HealthMonitor([check], lambda: 1, lambda reading, before: heard.append(before)).evaluate()
    assert heard == [None]


@pytest.mark.parametrize(
    ("beats", "critical", "grade"),
    [(True, False, FAILED), (False, True, FAILED), (False, False, DEGRADED)],
)
def test_a_check_that_raises_is_never_taken_for_good(
    beats: bool, critical: bool, grade: Grade
) -> None:
    check = Fixed(beats=beats, critical=critical)
    check.error = KeyError("lost")
    monitor = HealthMonitor([check], lambda: 1, lambda reading, before: None)
    (reading,) = monitor.evaluate()
    assert reading.grade is grade
    assert "lost" in reading.value
    assert monitor.live is not beats


def test_nothing_is_ready_before_the_first_look() -> None:
    monitor = HealthMonitor([Fixed()], lambda: 1, lambda reading, before: None)
    assert not monitor.ready
    monitor.evaluate()
    assert monitor.ready


def test_only_critical_failures_take_readiness_away() -> None:
    plain, critical = Fixed("a"), Fixed("b", critical=True)
    monitor = HealthMonitor([plain, critical], lambda: 1, lambda reading, before: None)
    plain.grade, critical.grade = FAILED, DEGRADED
    monitor.evaluate()
    assert monitor.ready
    critical.grade = FAILED
    monitor.evaluate()
    assert not monitor.ready
    assert monitor.live
    assert [one.name for one in monitor.blocking] == ["b"]


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two checks"):
        HealthMonitor([Fixed(), Fixed()], lambda: 1, lambda reading, before: None)


def test_every_trouble_says_what_happens_and_every_reading_its_limit(parts) -> None:
    parts.counts, parts.journal.failure, parts.mismatches = {}, OSError("full"), None
    parts.unknown, parts.pending, parts.errors, parts.slowest = [1e6], [1e6], 99, 9.0
    parts.ping, parts.memory, parts.cpu = Ping(), 99.0, 99.0
    parts.disk = DiskSpace(free_percent=1, free_gb=0.1)
    parts.clock = ClockState(synchronised=False, offset_ms=None, why="?")
    parts.lag = Lag(samples=9, p50_ms=900, max_ms=900)
    parts.monitor.evaluate()
    parts.frozen = {"feed"}
    parts.pass_time(500)
    parts.ping = Ping()
    readings = parts.monitor.evaluate()
    assert {one.grade for one in readings} == {DEGRADED, FAILED}
    for one in readings:
        assert one.action, one
        assert one.limit, one
        assert one.value, one


def test_no_strategy_and_a_timer_that_never_fired_are_no_progress(parts) -> None:
    parts.counts = {"one": 0, "two": 5}
    assert parts.reading("strategy_timer").grade is FAILED
    assert "one" in parts.reading("strategy_timer").value
    parts.counts = {}
    assert parts.reading("strategy_timer").grade is FAILED
    parts.counts = {"one": 1, "two": 6}
    assert parts.reading("strategy_timer").grade is OK


@pytest.mark.parametrize(
    ("waiting", "grade"), [(0, OK), (2.5, OK), (2.6, DEGRADED), (5.0, DEGRADED), (5.1, FAILED)]
)
def test_the_journal_at_its_limit(parts, waiting: float, grade: Grade) -> None:
    parts.journal.oldest_pending = waiting
    assert parts.reading("journal").grade is grade


@pytest.mark.parametrize(
    ("silent", "between", "grade"),
    [
        (29.9, 1, OK),
        (30, 1, DEGRADED),
        (59.9, 1, DEGRADED),
        (60, 1, FAILED),
        (149, 60, OK),
        (150, 60, DEGRADED),
        (299, 60, DEGRADED),
        (300, 60, FAILED),
    ],
)
def test_the_feeds_limits_follow_its_cadence(
    parts, silent: float, between: float, grade: Grade
) -> None:
    parts.between, parts.frozen = between, {"feed"}
    parts.monitor.evaluate()
    parts.pass_time(silent)
    assert parts.reading("feed").grade is grade


def test_a_night_without_data_is_no_silence(parts) -> None:
    parts.market_open, parts.frozen = False, {"feed"}
    for _ in range(60):
        parts.pass_time(1_000)
        assert parts.reading("feed").grade is OK
    parts.market_open = True
    assert parts.reading("feed").grade is OK
    parts.pass_time(61)
    assert parts.reading("feed").grade is FAILED


@pytest.mark.parametrize(
    ("age", "round_trip", "trouble", "grade"),
    [
        (1, 0.01, "", OK),
        (1, 0.01, "no answer", DEGRADED),
        (10, 0.01, "", OK),
        (10.1, 0.01, "", FAILED),
        (1, 5.1, "", FAILED),
    ],
)
def test_the_broker_is_judged_by_its_answers(
    parts, age: float, round_trip: float, trouble: str, grade: Grade
) -> None:
    parts.ping = Ping(answered=parts.now - age, round_trip=round_trip, trouble=trouble)
    for parts.connected in (True, False):
        assert parts.reading("broker").grade is grade


def test_a_client_that_claims_to_be_connected_does_not_make_the_broker_answer(parts) -> None:
    parts.ping, parts.connected = Ping(), True
    reading = parts.reading("broker")
    assert reading.grade is FAILED
    assert reading.value.startswith("connected but mute")


def turned(parts, name: str, value: object) -> Reading:
    attribute = {"broker_errors": "errors", "execution_latency": "slowest"}.get(name, name)
    setattr(parts, attribute.removesuffix("_orders"), value)
    return parts.reading(name)


@pytest.mark.parametrize(
    ("name", "value", "grade"),
    [
        ("unknown_orders", [0.1], DEGRADED),
        ("unknown_orders", [1, 59.9], DEGRADED),
        ("unknown_orders", [60, 1], FAILED),
        ("pending_orders", [299.0], OK),
        ("pending_orders", [300.0], DEGRADED),
        ("broker_errors", 4, OK),
        ("broker_errors", 5, DEGRADED),
        ("execution_latency", 1.0, OK),
        ("execution_latency", 1.01, DEGRADED),
        ("lag", Lag(samples=1, p50_ms=1, max_ms=250), OK),
        ("lag", Lag(samples=1, p50_ms=1, max_ms=251), DEGRADED),
        ("lag", Lag(samples=0, p50_ms=0, max_ms=0), OK),
        ("memory", 80.0, OK),
        ("memory", 80.1, DEGRADED),
        ("cpu", 90.0, OK),
        ("cpu", 90.1, DEGRADED),
        ("disk", DiskSpace(free_percent=10, free_gb=1), OK),
        ("disk", DiskSpace(free_percent=9.9, free_gb=1), DEGRADED),
        ("disk", DiskSpace(free_percent=10, free_gb=0.9), DEGRADED),
        ("clock", ClockState(synchronised=True, offset_ms=-500, why="kernel"), OK),
        ("clock", ClockState(synchronised=True, offset_ms=-501, why="kernel"), DEGRADED),
        ("clock", ClockState(synchronised=True, offset_ms=None, why="mark"), OK),
        ("clock", ClockState(synchronised=False, offset_ms=None, why="?"), DEGRADED),
    ],
)
def test_each_limit_just_below_and_just_above(
    parts, name: str, value: object, grade: Grade
) -> None:
    if name == "lag":
        parts.lag = value
        assert parts.reading("loop").grade is grade
    else:
        assert turned(parts, name, value).grade is grade


def test_errors_are_not_judged_when_their_limit_is_off(parts) -> None:
    parts.limits = msgspec.structs.replace(parts.limits, broker_errors=0)
    assert turned(parts, "broker_errors", 1_000).grade is OK


def test_reconciliation_fails_before_the_first_and_on_a_contradiction(parts) -> None:
    parts.mismatches = None
    assert parts.reading("reconciliation").grade is FAILED
    parts.mismatches = [f"S{number}: journal 1, broker 2" for number in range(5)]
    reading = parts.reading("reconciliation")
    assert reading.grade is FAILED
    assert reading.value.endswith("and 2 more")
    assert "tradingd repair --dry-run" in reading.next_step
    assert "tradingctl adopt" in reading.next_step
    parts.mismatches = []
    assert parts.reading("reconciliation").grade is OK


def test_a_ping_keeps_the_last_answer_and_says_why_the_next_got_none(parts) -> None:
    answers: list[object] = [0.02, BrokerUnavailable("stream is broken"), None, 0.01]

    async def ping() -> float:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.Event().wait()
        assert isinstance(answer, float)
        return answer

    async def scene() -> list[Ping]:
        limits = msgspec.structs.replace(parts.limits, ping_seconds=0.01)
        pinger = Pinger(ping, lambda: limits, parts.seconds)
        return [await pinger.once() for _ in range(4)]

    first, broken, mute, back = asyncio.run(scene())
    assert first == Ping(answered=1_000.0, round_trip=0.02, trouble="")
    assert broken == msgspec.structs.replace(first, trouble="stream is broken")
    assert mute == msgspec.structs.replace(first, trouble="no answer within 0.01 s")
    assert back.trouble == ""
    assert back.round_trip == 0.01


def test_the_lag_window_forgets_and_sees_a_blocked_loop() -> None:
    sampler = LagSampler(window=60)
    sampler.note(100.0, 99.0)
    for tick in range(1, 50):
        sampler.note(100.0 + tick, 100.0 + tick)
    assert sampler.window() == Lag(samples=50, p50_ms=0.0, max_ms=1_000.0)
    sampler.note(161.0, 160.999)
    assert math.isclose(sampler.window().max_ms, 1.0, rel_tol=1e-6)
    sampler.forget()
    assert sampler.window().samples == 0


def test_a_callback_that_blocks_the_loop_shows_in_the_samples() -> None:
    async def scene() -> Lag:
        sampler = LagSampler(interval=0.005)
        running = asyncio.create_task(sampler.run())
        await asyncio.sleep(0.02)
        until = asyncio.get_running_loop().time() + 0.08
        while asyncio.get_running_loop().time() < until:
            pass
        await asyncio.sleep(0.02)
        running.cancel()
        return sampler.window()

    lag = asyncio.run(scene())
    assert lag.max_ms > 60
    assert lag.p50_ms < lag.max_ms


@pytest.mark.parametrize(
    ("answer", "status", "offset", "state"),
    [
        (0, 0x2001, 1_500_000, (True, 1.5)),
        (0, 0x0001, -1_500, (True, -1.5)),
        (5, 0x2040, 0, (False, None)),
        (0, 0x0040, 0, (False, None)),
    ],
    ids=["nanoseconds", "microseconds", "error", "unsynchronised"],
)
def test_the_kernels_answer_is_read_in_its_own_unit(
    answer: int, status: int, offset: int, state: tuple[bool, float | None]
) -> None:
    found = judge(answer, status, offset)
    assert (found.synchronised, found.offset_ms) == state


def test_the_real_machine_can_be_read(tmp_path) -> None:
    assert 0 < memory_percent() < 100
    space = disk_space(tmp_path)
    assert 0 <= space.free_percent <= 100
    assert space.free_gb > 0
    meter = CpuMeter()
    assert meter() == 0.0
    assert 0 <= meter() <= 100
    assert clock_state().why


def test_durations_read_well() -> None:
    assert [spoken(one) for one in (0.25, 9.94, 59.6, 700)] == ["0.2 s", "9.9 s", "60 s", "12 min"]
