"""One life of a recorder on a feed whose books anybody can compute, for the kill schedule."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.fakes.depth_feed import HandFeed, ladder, record
from tradingd.config.record import RecordConfig
from tradingd.domain.depth import DepthEvent
from tradingd.recorder.disk import DiskWorker
from tradingd.recorder.jobs import MessagesJob, RowsJob
from tradingd.recorder.recorder import Recorder

SYMBOLS: Final = ("AAA", "BBB", "CCC")
FLUSH: Final = 0.1
"""Seconds."""
INTERVAL_MS: Final = 10
GAP: Final = 3_000_000
"""Nanoseconds between two records of all symbols."""
HOUR: Final = 3_600 * 1_000_000_000
FIRST: Final = 1_743_687_000 * 1_000_000_000
LENGTH: Final = 500
"""Turns of a whole life, each of a few milliseconds."""
A_TURN: Final = 12


def begins(life: int) -> int:
    """Data time at which a life begins, UTC ns; lives do not overlap."""
    return FIRST + life * HOUR // 60


def number_at(life: int, ts: int) -> int:
    """Number of the last record at or before a data time."""
    return (ts - begins(life)) // GAP


def symbol_of(number: int) -> str:
    return SYMBOLS[number % len(SYMBOLS)]


def bid_of(number: int) -> int:
    """Best bid in cents after a record."""
    return 1_000 + number % 997


def record_of(life: int, number: int) -> DepthEvent:
    bid = bid_of(number)
    ts = begins(life) + number * GAP
    return record(symbol_of(number), ts, ladder(bid, bid + 2, levels=3), sequence=number)


class Mark(NamedTuple):
    """How far a life had come: what was told (data time, UTC ns) at a monotonic time."""

    at: float
    told: int


class Job(NamedTuple):
    """What a life handed to its writer.

    `told` is the data time up to which all had been told at the hand-over, `done` the monotonic
    time at which the writer's thread had it on the disk, None: it was killed before.
    """

    kind: str
    symbol: str
    at: float
    told: int
    done: float | None


class Diary:
    """What a life says of itself while it lives, a line at a time, straight to the file."""

    def __init__(self, path: Path, slowness: float) -> None:
        self.told = 0
        self._slowness = slowness
        self._out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def mark(self) -> None:
        """Say how far it has come."""
        self._say("mark", time.monotonic(), self.told)

    def over(self) -> None:
        """Say that nothing more is told, before the stop."""
        self._say("over", time.monotonic())

    def follow(self, worker: DiskWorker) -> None:
        """Say of each job when it is handed over, and in the writer's thread that it is done."""
        submit = worker.submit

        def told(job: RowsJob | MessagesJob) -> None:
            number, run = worker.submitted, job.run

            def done() -> None:
                time.sleep(self._slowness)
                run()
                self._say("done", time.monotonic(), number)

            kind, symbol = type(job).__name__, job.capture.symbol
            self._say("job", time.monotonic(), number, self.told, kind, symbol)
            setattr(job, "run", done)  # noqa: B010 - a method

        def submitted(job: Any) -> None:
            if isinstance(job, RowsJob | MessagesJob):
                told(job)
            submit(job)

        setattr(worker, "submit", submitted)  # noqa: B010 - a method

    def _say(self, *words: object) -> None:
        os.write(self._out, (" ".join(str(word) for word in words) + "\n").encode())

    def close(self) -> None:
        os.close(self._out)


def lines(path: Path) -> list[list[str]]:
    content = path.read_text() if path.exists() else ""
    return [line.split() for line in content.splitlines(keepends=True) if line.endswith("\n")]


def marks(path: Path) -> list[Mark]:
    """Return the marks of a life, one a turn."""
    return [Mark(float(one[1]), int(one[2])) for one in lines(path) if one[0] == "mark"]


def over(path: Path) -> float | None:
    """Return when all was told; None: it was killed before."""
    return next((float(one[1]) for one in lines(path) if one[0] == "over"), None)


def jobs(path: Path) -> list[Job]:
    """Return what a life handed to its writer, in that order."""
    said = lines(path)
    done = {one[2]: float(one[1]) for one in said if one[0] == "done"}
    return [
        Job(one[4], one[5], float(one[1]), int(one[3]), done.get(one[2]))
        for one in said
        if one[0] == "job"
    ]


async def live(root: Path, life: int, diary_to: Path, turns: int, slowness: float = 0) -> None:
    """Record `turns` turns, then stop in order; `diary_to` says how far it had come.

    Each write takes `slowness` seconds longer than it must.
    """
    feed = HandFeed()
    config = RecordConfig(
        symbols=SYMBOLS, levels=3, interval_ms=INTERVAL_MS, flush_seconds=FLUSH, buffer_rows=50_000
    )
    recorder = Recorder(config, feed, root, wall=time.time_ns)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    diary = Diary(diary_to, slowness)
    diary.follow(recorder._keeper.worker)
    number = 0
    for _ in range(turns):
        for _ in range(A_TURN):
            feed.tell(record_of(life, number))
            diary.told = begins(life) + number * GAP
            number += 1
        diary.mark()
        await asyncio.sleep(0.002)
    diary.over()
    await recorder.stop()
    await running
    diary.close()


if __name__ == "__main__":
    folder, born, path, length, *slow = sys.argv[1:]
    asyncio.run(live(Path(folder), int(born), Path(path), int(length), *map(float, slow)))
