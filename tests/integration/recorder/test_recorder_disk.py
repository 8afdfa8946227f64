"""What the disk can do to a recorder: be slow, be full, hold what others left, or be shared."""

import asyncio
import functools
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.crash.recorder_life import LENGTH, SYMBOLS, begins, live, marks
from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tests.fakes.recording import (
    WALL,
    column,
    message_logs,
    recording,
    snapshots,
    statistics,
    unfinished,
    until,
)
from tradingd.domain.depth import Patient
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import Quality
from tradingd.recorder.jobs import Task
from tradingd.recorder.recorder import Recorder

TENTH = SECOND // 10
T = WALL


def _wait(free: threading.Event) -> None:
    assert free.wait(30)


def held(recorder: Recorder) -> threading.Event:
    """Keep the writer's thread busy until the event is set."""
    free = threading.Event()
    recorder._keeper.worker.submit(Task(functools.partial(_wait, free)))
    return free


# -- too slow -------------------------------------------------------------------------------------


def test_a_frozen_writer_costs_counted_snapshots_and_never_more_memory(tmp_path):
    alerts = []

    async def go() -> int:
        feed = HandFeed()
        async with recording(
            tmp_path, feed, alerts=alerts, buffer_rows=100, flush_seconds=0.02, messages=False
        ) as recorder:
            free = held(recorder)
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            for step in range(300):
                feed.listener.reached(T + step * TENTH)
                assert recorder.view().buffered <= 100
                if step % 50 == 0:
                    await asyncio.sleep(0.03)
            dropped = recorder.view().dropped_rows
            assert [one.key for one in alerts] == ["recorder.writer"]
            free.set()
            await until(lambda: recorder.view().buffered == 0)
            feed.listener.reached(T + 300 * TENTH)
            return dropped

    dropped = asyncio.run(go())
    assert dropped == 200
    table = snapshots(tmp_path)
    assert column(table, "ts") == [T + step * TENTH for step in [*range(100), 300]]
    # The hole is marked, and only there.
    assert [bool(one & Quality.GAP) for one in column(table, "quality")] == [False] * 100 + [True]
    (stats,) = statistics(tmp_path)
    assert stats["captures"][0]["dropped"] == 200
    assert stats["totals"]["max_buffer_rows"] == 100
    assert [(one.key, one.resolved) for one in alerts] == [
        ("recorder.writer", False),
        ("recorder.writer", True),
    ]


def test_a_frozen_writer_bounds_the_message_log_too(tmp_path):
    alerts = []

    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, alerts=alerts, buffer_rows=100, flush_seconds=0.02, interval_ms=60_000
        ) as recorder:
            free = held(recorder)
            number = 0
            while not recorder.view().dropped_messages:
                feed.tell(*(record("AAA", T + number + n, ladder(10, 11)) for n in range(40)))
                number += 40
                await asyncio.sleep(0.03)
            free.set()
            await until(lambda: alerts[-1].resolved)
            return number, recorder.view().dropped_messages

    number, dropped = asyncio.run(go())
    (log,) = message_logs(tmp_path)
    assert len(log["messages"]) == number - dropped
    assert statistics(tmp_path)[0]["captures"][0]["dropped"] == dropped


def test_a_replay_waits_for_a_slow_disk_and_loses_nothing(tmp_path):
    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, buffer_rows=100, flush_seconds=0.02, messages=False
        ) as recorder:
            assert isinstance(recorder, Patient)
            free = held(recorder)
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            asyncio.get_running_loop().call_later(0.2, free.set)
            for step in range(0, 1000, 10):
                feed.listener.reached(T + step * TENTH)
                await recorder.room()

    asyncio.run(go())
    assert len(snapshots(tmp_path)) == 991
    assert statistics(tmp_path)[0]["totals"]["dropped"] == 0


def test_the_fullest_symbol_is_written_first_when_memory_runs_out(tmp_path):
    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, symbols=("AAA", "BBB"), buffer_rows=100, flush_seconds=300
        ) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            feed.listener.reached(T + 40 * TENTH)
            feed.tell(record("BBB", T + 40 * TENTH, ladder(1000, 1001)))
            feed.listener.reached(T + 45 * TENTH)
            waiting = {one.symbol: one.waiting for one in recorder.view().recording}
            assert waiting["BBB"] > 0
            assert waiting["AAA"] < waiting["BBB"]
            await until(lambda: recorder.view().flushes == 1)

    asyncio.run(go())


# -- full -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"cannot mount: {error}")
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        # A file that could not be written to its end is closed when it is collected.
        gc.collect()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_waited_out_and_told(small_disk):
    alerts = []

    async def go():
        feed = HandFeed()
        async with recording(
            small_disk, feed, alerts=alerts, flush_seconds=0.02, buffer_rows=400
        ) as recorder:
            filler = small_disk / "filler"
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            feed.listener.reached(T + 10 * TENTH)
            await until(lambda: recorder.view().flushes)
            free = os.statvfs(small_disk)
            filler.write_bytes(b"x" * (free.f_bavail * free.f_bsize))
            for step in range(11, 100):
                feed.tell(record("AAA", T + step * TENTH - 1, ladder(1000 + step, 1101 + step)))
                feed.listener.reached(T + step * TENTH)
            await until(lambda: recorder.view().disk)
            await asyncio.sleep(0.1)
            assert recorder.view().buffered == 89
            assert "No space left" in recorder.view().disk
            assert [one.key for one in alerts] == ["recorder.disk"]
            filler.unlink()
            await until(lambda: recorder.view().buffered == 0)
            assert alerts[-1].resolved

    asyncio.run(go())
    assert column(snapshots(small_disk), "ts") == [T + step * TENTH for step in range(100)]
    (log,) = message_logs(small_disk)
    assert len(log["messages"]) == 90
    assert statistics(small_disk)[0]["totals"]["dropped"] == 0


def test_a_disk_that_stays_full_ends_in_a_failure_and_keeps_what_was_written(
    small_disk, monkeypatch
):
    monkeypatch.setattr("tradingd.recorder.recorder.PATIENCE", 0.1)

    async def go():
        feed = HandFeed()
        async with recording(small_disk, feed, flush_seconds=0.02) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            feed.listener.reached(T + 10 * TENTH)
            await until(lambda: recorder.view().flushes)
            free = os.statvfs(small_disk)
            (small_disk / "filler").write_bytes(b"x" * (free.f_bavail * free.f_bsize))
            feed.listener.reached(T + 20 * TENTH)

    with pytest.raises(Failure, match="10 snapshots could not be written") as failed:
        asyncio.run(go())
    assert failed.value.code is ExitCode.STORE_WRITE
    (small_disk / "filler").unlink()
    asyncio.run(start_and_stop(small_disk))
    assert column(snapshots(small_disk), "ts") == [T + step * TENTH for step in range(11)]


def test_a_limit_on_file_sizes_is_like_a_full_disk(tmp_path):
    words = [sys.executable, "-m", "tests.crash.recorder_life", str(tmp_path / "level2"), "0"]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))  # noqa: E731
    ended = subprocess.run(
        [*words, str(tmp_path / "marks"), "150"],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "snapshots could not be written" in ended.stderr.splitlines()[-1]
    for part in tmp_path.rglob("rows-*.parquet"):
        assert pq.read_table(part).num_rows


# -- shared, and left by others -------------------------------------------------------------------


async def start_and_stop(root: Path) -> Recorder:
    async with recording(root, HandFeed()) as recorder:
        return recorder


def test_two_recorders_of_the_same_symbol_leave_each_others_files_alone(tmp_path):
    async def one() -> None:
        feed = HandFeed()
        async with recording(tmp_path, feed, flush_seconds=0.02) as recorder:
            for step in range(20):
                feed.tell(record("AAA", T + step * TENTH, ladder(1000, 1001)))
                await asyncio.sleep(0.005)
            await until(lambda: recorder.view().flushes)

    async def go() -> None:
        await asyncio.gather(one(), one(), one())

    asyncio.run(go())
    files = sorted((tmp_path / "AAA").glob("*.parquet"))
    assert [one.name[-14:-8] for one in files] == ["093000", "093001", "093002"]
    for file in files:
        assert column(pq.read_table(file), "ts") == [T + step * TENTH for step in range(19)]
    assert len(statistics(tmp_path)) == 3
    assert unfinished(tmp_path) == []


def test_the_parts_of_a_living_process_are_not_touched_until_it_dies(tmp_path):
    root, marked = tmp_path / "level2", tmp_path / "marks"
    words = [sys.executable, "-m", "tests.crash.recorder_life", str(root), "0", str(marked)]
    process = subprocess.Popen([*words, str(20 * LENGTH)])
    try:
        asyncio.run(parts_of_all(root))
        other = asyncio.run(start_and_stop(root))
        assert other.recovered.captures == ()
        assert other.recovered.busy == 3
        assert len(unfinished(root)) == 3
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    told = max(one.told for one in marks(marked))
    after = asyncio.run(start_and_stop(root))
    assert sorted(one.symbol for one in after.recovered.captures) == list(SYMBOLS)
    assert unfinished(root) == []
    for symbol in SYMBOLS:
        times = column(snapshots(root, symbol), "ts")
        assert times == list(range(times[0], times[-1] + 1, 10_000_000))
        assert begins(0) <= times[0] <= times[-1] <= told
    (stats,) = statistics(root)
    assert stats["ended_by"] == "recovered"
    assert {one["symbol"] for one in stats["captures"]} == set(SYMBOLS)
    unknown = [(one["late"], one["dropped_by"]) for one in stats["captures"]]
    assert unknown == [(None, None)] * len(SYMBOLS)
    for symbol in SYMBOLS:
        (file,) = (root / symbol).glob("*.parquet")
        assert pq.read_schema(file).metadata[b"tradingd.recovered"] == b"true"
        (log,) = message_logs(root, symbol)
        assert log["ended"] is None


async def parts_of_all(root: Path) -> None:
    def written(symbol: str) -> bool:
        found = [list(root.glob(f"{symbol}/.recording/*/{one}")) for one in ("rows-*", "*.jsonl")]
        return all(found)

    await until(lambda: all(written(one) for one in SYMBOLS), 30.0)


def killed_capture(tmp_path: Path, into: Path) -> Path:
    """A folder as a killed recorder leaves it, copied while it ran: nobody holds its lock."""
    whole = tmp_path / "whole"

    async def go() -> None:
        feed = HandFeed()
        async with recording(whole, feed, flush_seconds=0.02) as recorder:
            for step in range(4):
                feed.tell(record("AAA", T + step * SECOND, ladder(1000 + step, 1010)))
                feed.listener.reached(T + step * SECOND)
                await until(lambda wanted=step + 1: recorder.view().flushes == wanted)
            await until(lambda: recorder._keeper.worker.open_jobs == 0)
            shutil.copytree(whole, into)

    asyncio.run(go())
    (folder,) = (into / "AAA" / ".recording").iterdir()
    return folder


def test_a_part_that_cannot_be_read_is_set_aside_and_the_others_are_published(tmp_path):
    root = tmp_path / "level2"
    folder = killed_capture(tmp_path, root)
    parts = sorted(folder.glob("rows-*.parquet"))
    assert len(parts) == 4
    damaged = parts[1].read_bytes()[:-20]
    parts[1].write_bytes(damaged)
    log = folder / "messages.jsonl"
    log.write_bytes(log.read_bytes() + b"[1743687000,12")
    after = asyncio.run(start_and_stop(root))
    (aside,) = after.recovered.damaged
    assert aside.name == f"{parts[1].name}.damaged"
    assert aside.read_bytes() == damaged
    table = snapshots(root)
    assert column(table, "ts")[0] == T
    assert column(table, "ts")[-1] == T + 3 * SECOND
    assert len(table) == 31 - 10
    assert len(message_logs(root)[0]["messages"]) == 4
    again = asyncio.run(start_and_stop(root))
    assert again.recovered.captures == ()
    assert aside.exists()


@pytest.mark.parametrize("at", ["before the files", "before it is marked", "after it is marked"])
def test_a_death_while_publishing_publishes_once(tmp_path, at):
    root = tmp_path / "level2"
    folder = killed_capture(tmp_path, root)
    if at != "before the files":
        # What a death leaves behind that comes after the files were renamed.
        spare = tmp_path / "spare"
        shutil.copytree(folder, spare)
        asyncio.run(start_and_stop(root))
        shutil.copytree(spare, folder)
    if at == "after it is marked":
        parts = sorted(folder.glob("rows-*.parquet"))
        parts[0].unlink()
        folder.rename(folder.with_name(folder.name + ".done"))
    asyncio.run(start_and_stop(root))
    assert len(list((root / "AAA").glob("*.parquet"))) == 1
    assert column(snapshots(root), "ts") == [T + step * TENTH for step in range(31)]
    assert unfinished(root) == []


def test_parts_are_united_before_they_are_many(tmp_path):
    async def go() -> None:
        feed = HandFeed()
        async with recording(tmp_path, feed, flush_seconds=0.005, messages=False) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            for step in range(70):
                feed.listener.reached(T + step * TENTH)
                await until(lambda wanted=step + 1: recorder.view().flushes >= wanted)
            await until(lambda: recorder._keeper.worker.open_jobs == 0)
            names = sorted(one.name for one in tmp_path.rglob("rows-*"))
            assert names[:2] == [
                "rows-000001-000032.parquet",
                "rows-000033-000064.parquet",
            ]
            assert len(names) == 2 + 6

    asyncio.run(go())
    assert len(snapshots(tmp_path)) == 70


def test_a_union_that_died_before_its_parts_were_removed_counts_once(tmp_path):
    root = tmp_path / "level2"
    folder = killed_capture(tmp_path, root)
    parts = sorted(folder.glob("rows-*.parquet"))
    shutil.copy(parts[1], folder / "rows-000002-000003.parquet")
    asyncio.run(start_and_stop(root))
    # The union as far as it was copied stands for the two; nothing is there twice.
    times = column(snapshots(root), "ts")
    assert len(times) == len(set(times)) == 21


def test_a_folder_that_does_not_say_what_it_is_is_kept_aside(tmp_path):
    root = tmp_path / "level2"
    folder = killed_capture(tmp_path, root)
    (folder / "capture.json").write_text("{")
    after = asyncio.run(start_and_stop(root))
    (aside,) = after.recovered.damaged
    assert aside.name.endswith(".damaged")
    assert len(list(aside.glob("rows-*.parquet"))) == 4
    assert list((root / "AAA").glob("*.parquet")) == []


def test_old_captures_are_forgotten_and_what_was_bought_is_kept(tmp_path):
    folder = tmp_path / "AAA"
    folder.mkdir()
    old, new = "2025-03-31", "2025-04-01"
    gone = [folder / f"{old}_snapshots_093000.parquet", folder / f"{old}_messages_093000.json"]
    gone.append(tmp_path / "session_stats_20250331_093000.json")
    kept = [
        folder / f"{old}_snapshots_databento.parquet",
        folder / f"{old}_trades_databento.parquet",
    ]
    kept += [folder / f"{new}_snapshots_093000.parquet", folder / "notes.txt"]
    for one in (*gone, *kept):
        one.write_bytes(b"")

    async def go() -> None:
        async with recording(tmp_path, HandFeed(), keep_days=2):
            pass

    asyncio.run(go())
    assert [one.exists() for one in gone] == [False] * 3
    assert [one.exists() for one in kept] == [True] * 4


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as refused:
        asyncio.run(start_and_stop(tmp_path / "file" / "level2"))
    assert refused.value.code is ExitCode.STORE_WRITE


def test_a_whole_life_of_the_schedule_is_published_by_itself(tmp_path):
    asyncio.run(live(tmp_path / "level2", 0, tmp_path / "marks", 30))
    assert len(list((tmp_path / "level2").glob("*/*.parquet"))) == 3
