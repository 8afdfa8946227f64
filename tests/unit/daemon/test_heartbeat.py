"""The beat: what stops it, what does not, and that it never comes before READY."""

import asyncio
import logging
import signal
import subprocess
import sys

import msgspec
import pytest

from tradingd.daemon.heartbeat import Heartbeat
from tradingd.daemon.kernel_clock import ClockState
from tradingd.daemon.lag import Lag
from tradingd.daemon.readings import DiskSpace
from tradingd.domain.health import Grade
from tradingd.kits.notify_socket import Notifier


class Counting(Notifier):
    """Counts beats in place of sending them."""

    def __init__(self, period: float | None = 30.0) -> None:
        self.beats = 0
        self.watchdog_period = period

    def watchdog(self) -> bool:
        self.beats += 1
        return True


def watched(parts) -> tuple[Heartbeat, Counting]:
    systemd = Counting()
    heart = Heartbeat(parts.monitor, systemd)
    heart.watch()
    return heart, systemd


def beats_in(parts, heart: Heartbeat, systemd: Counting, seconds: int) -> int:
    before = systemd.beats
    for _ in range(seconds):
        parts.pass_time(1)
        heart.look()
    return systemd.beats - before


def test_a_healthy_daemon_beats_at_every_look(parts) -> None:
    heart, systemd = watched(parts)
    assert beats_in(parts, heart, systemd, 3_600) == 3_600


@pytest.mark.parametrize(
    ("frozen", "goes_on_for"),
    [({"strategy"}, 10), ({"strategy", "two"}, 10), ({"journal"}, 5)],
    ids=["every strategy's timer", "one strategy's timer", "journal writer"],
)
def test_what_must_make_progress_stops_the_beat_after_its_limit(
    parts, frozen: set[str], goes_on_for: int
) -> None:
    heart, systemd = watched(parts)
    beats_in(parts, heart, systemd, 5)
    parts.frozen = frozen
    assert beats_in(parts, heart, systemd, 120) == goes_on_for
    assert not parts.monitor.live
    assert not parts.monitor.ready


@pytest.mark.parametrize("frozen", ["feed", "broker"])
def test_a_silent_feed_or_broker_goes_on_beating_with_entries_paused(parts, frozen: str) -> None:
    heart, systemd = watched(parts)
    beats_in(parts, heart, systemd, 5)
    parts.frozen = {frozen}
    assert beats_in(parts, heart, systemd, 600) == 600
    assert [one.name for one in parts.monitor.blocking] == [frozen]
    assert parts.monitor.live
    assert not parts.monitor.ready
    parts.frozen = set()
    beats_in(parts, heart, systemd, 1)
    assert parts.monitor.ready


def test_trouble_that_a_restart_does_not_cure_goes_on_beating(parts) -> None:
    heart, systemd = watched(parts)
    parts.unknown, parts.pending, parts.errors, parts.slowest = [1e6], [1e6], 1_000, 60.0
    parts.mismatches = ["SPY: journal 10, broker 20"]
    parts.lag = Lag(samples=1, p50_ms=9_000, max_ms=9_000)
    parts.memory = parts.cpu = 100.0
    parts.disk = DiskSpace(free_percent=0, free_gb=0)
    parts.clock = ClockState(synchronised=False, offset_ms=None, why="no time service")
    assert beats_in(parts, heart, systemd, 60) == 60
    assert parts.monitor.grade is Grade.FAILED


def test_the_beat_returns_with_progress(parts) -> None:
    heart, systemd = watched(parts)
    parts.frozen = {"journal"}
    beats_in(parts, heart, systemd, 20)
    parts.frozen = set()
    assert beats_in(parts, heart, systemd, 10) == 10


def test_a_journal_that_has_failed_stops_the_beat_at_once(parts) -> None:
    heart, systemd = watched(parts)
    parts.journal.failure = OSError("disk full")
    assert beats_in(parts, heart, systemd, 1) == 0
    assert "disk full" in parts.reading("journal").value


def test_no_beat_is_sent_before_ready_has_been_told(parts) -> None:
    systemd = Counting()
    heart = Heartbeat(parts.monitor, systemd)
    assert beats_in(parts, heart, systemd, 60) == 0
    heart.watch()
    assert beats_in(parts, heart, systemd, 1) == 1


def test_the_reason_of_a_withheld_beat_is_logged_once(parts, caplog) -> None:
    heart, systemd = watched(parts)
    parts.frozen = {"journal"}
    with caplog.at_level(logging.WARNING, "tradingd.daemon.heartbeat"):
        beats_in(parts, heart, systemd, 60)
        parts.frozen = set()
        beats_in(parts, heart, systemd, 5)
    said = [record.getMessage() for record in caplog.records]
    assert len([text for text in said if "withheld: journal" in text]) == 1
    assert said[-1].startswith("progress again")


def test_withholding_writes_down_where_every_task_stands(parts, caplog) -> None:
    async def scene() -> None:
        async def waits_in_a_named_function() -> None:
            await asyncio.Event().wait()

        waiting = asyncio.create_task(waits_in_a_named_function(), name="order reader")
        await asyncio.sleep(0)
        heart, _ = watched(parts)
        parts.journal.failure = OSError()
        heart.look()
        waiting.cancel()

    with caplog.at_level(logging.ERROR, "tradingd.daemon.heartbeat"):
        asyncio.run(scene())
    assert "order reader" in caplog.text
    assert "waits_in_a_named_function" in caplog.text


@pytest.mark.parametrize(("watchdog", "pace"), [(None, 1.0), (30.0, 1.0), (1.5, 0.5)])
def test_the_pace_is_a_third_of_the_watchdogs_and_never_slower_than_a_second(
    parts, watchdog: float | None, pace: float
) -> None:
    assert Heartbeat(parts.monitor, Counting(watchdog)).period == pace


def test_running_looks_again_and_again_and_tells_what_comes_after(parts) -> None:
    async def scene() -> list[bool]:
        seen: list[bool] = []
        enough = asyncio.Event()

        def after(live: bool) -> None:
            seen.append(live)
            parts.frozen = {"strategy"}
            parts.pass_time(11)
            if len(seen) == 3:
                enough.set()

        heart = Heartbeat(parts.monitor, Counting(0.03), after=after)
        running = asyncio.create_task(heart.run())
        await asyncio.wait_for(enough.wait(), 30)
        running.cancel()
        return seen

    assert asyncio.run(scene()) == [True, False, False]


def test_a_quit_signal_prints_every_thread_and_kills_even_a_blocked_loop() -> None:
    program = """
import asyncio, sys, threading, time
from tradingd.daemon.stacks import dump_on_quit
def engine_timer():
    time.sleep(60)
def blocks_the_loop():
    sys.stdout.write("up\\n"); sys.stdout.flush()
    time.sleep(60)
async def main():
    dump_on_quit()
    threading.Thread(target=engine_timer, daemon=True).start()
    blocks_the_loop()
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGQUIT)
        _, printed = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGQUIT
    assert "blocks_the_loop" in printed
    assert "engine_timer" in printed


def test_a_reload_of_the_limits_is_in_force_at_the_next_look(parts) -> None:
    heart, systemd = watched(parts)
    heart.look()
    parts.frozen = {"strategy"}
    parts.limits = msgspec.structs.replace(parts.limits, strategy_stall_seconds=60.0)
    assert beats_in(parts, heart, systemd, 90) == 60
