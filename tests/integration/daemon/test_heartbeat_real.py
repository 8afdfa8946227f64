"""The beat with a real journal, a real loop and a real notify socket."""

import asyncio
import socket
import time
from pathlib import Path

import msgspec

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.checks.journal import JournalCheck
from tradingd.daemon.checks.loop import LoopCheck
from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.heartbeat import Heartbeat
from tradingd.daemon.lag import LagSampler
from tradingd.domain.health import Grade
from tradingd.domain.journal import MarkRow
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.notify_socket import notifier
from tradingd.kits.tasks import Tasks

LIMITS = msgspec.structs.replace(SupervisionConfig(), journal_stall_seconds=0.1, loop_lag_ms=50.0)


def drained(receiver: socket.socket) -> list[bytes]:
    """Return the datagrams that have arrived."""
    found = []
    try:
        while True:
            found.append(receiver.recv(4_096))
    except BlockingIOError:
        return found


async def until(condition, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is at the other end of a socket
            await asyncio.sleep(0.005)


def test_a_held_journal_stops_the_beat_and_a_released_one_brings_it_back(tmp_path: Path) -> None:
    async def scene(receiver: socket.socket) -> None:
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        journal.start()
        monitor = HealthMonitor(
            [JournalCheck(journal, lambda: LIMITS)], time.time_ns, lambda now, before: None
        )
        systemd = notifier({"NOTIFY_SOCKET": receiver.getsockname(), "WATCHDOG_USEC": "30000"})
        heart = Heartbeat(monitor, systemd)
        tasks = Tasks()
        tasks.spawn("heartbeat", heart.run())
        await until(monitor.readings)
        assert drained(receiver) == []

        heart.watch()
        beats: list[bytes] = []
        await until(lambda: beats.extend(drained(receiver)) or len(beats) > 3)
        assert set(beats) == {b"WATCHDOG=1"}

        journal.hold(0.6)
        waiting = journal.write(MarkRow(key="k", value="v"))
        await until(lambda: monitor.grade is Grade.FAILED)
        drained(receiver)
        await asyncio.sleep(0.1)
        assert drained(receiver) == []

        await waiting
        await until(lambda: drained(receiver))
        assert monitor.live
        assert (await tasks.stop(grace=1)).survivors == ()
        assert tasks.faults == []
        journal.close()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        asyncio.run(scene(receiver))


def test_a_blocked_loop_sends_no_beat_and_shows_as_lag_afterwards(tmp_path: Path) -> None:
    async def scene(receiver: socket.socket) -> None:
        sampler = LagSampler(interval=0.01)
        monitor = HealthMonitor(
            [LoopCheck(sampler.window, lambda: LIMITS)], time.time_ns, lambda now, before: None
        )
        systemd = notifier({"NOTIFY_SOCKET": receiver.getsockname(), "WATCHDOG_USEC": "30000"})
        heart = Heartbeat(monitor, systemd)
        heart.watch()
        tasks = Tasks()
        tasks.spawn("heartbeat", heart.run())
        tasks.spawn("lag", sampler.run())
        await until(lambda: sampler.window().samples > 3)
        drained(receiver)
        time.sleep(0.2)  # noqa: ASYNC251 - the loop is blocked on purpose
        assert drained(receiver) == []
        await until(lambda: monitor.grade is Grade.DEGRADED)
        await until(lambda: drained(receiver))
        await tasks.stop(grace=1)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        asyncio.run(scene(receiver))
