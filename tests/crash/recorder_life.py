"""One life of a recorder on a feed whose books anybody can compute, for the kill schedule."""

import asyncio
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.fakes.depth_feed import HandFeed, ladder, record
from tradingd.config.record import RecordConfig
from tradingd.domain.depth import DepthEvent
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

_MARK: Final = struct.Struct("=dqq")


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
    """How far a life had come: by the monotonic clock, what was told, and what was written.

    `told` and `written` are data times, UTC ns; all records up to `written` had been reported as
    written.
    """

    at: float
    told: int
    written: int


def marks(path: Path) -> Iterator[Mark]:
    """Yield the marks of a life, one a turn."""
    content = path.read_bytes() if path.exists() else b""
    for cells in _MARK.iter_unpack(content[: len(content) // _MARK.size * _MARK.size]):
        yield Mark(*cells)


class Written:
    """Follows which records are on the disk, from outside."""

    def __init__(self, recorder: Recorder) -> None:
        self._keeper = recorder._keeper
        self._streams = recorder._streams
        self._handed: list[tuple[int, int]] = []
        self._written = 0

    def upto(self, told: int) -> int:
        """Return up to which data time all is written, if all up to `told` was told."""
        worker = self._keeper.worker
        logs = any(one.log for one in self._streams.values())
        if not self._keeper.rows.fresh and not logs:
            self._handed.append((worker.submitted, told))
        done = worker.submitted - worker.open_jobs
        while self._handed and self._handed[0][0] <= done:
            self._written = self._handed.pop(0)[1]
        return self._written


async def live(root: Path, life: int, marks_to: Path, turns: int) -> None:
    """Record `turns` turns, then stop in order; `marks_to` says how far it had come."""
    feed = HandFeed()
    config = RecordConfig(
        symbols=SYMBOLS, levels=3, interval_ms=INTERVAL_MS, flush_seconds=FLUSH, buffer_rows=50_000
    )
    recorder = Recorder(config, feed, root, wall=time.time_ns)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    out = os.open(marks_to, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = told = 0
    written = Written(recorder)
    for _ in range(turns):
        safe = written.upto(told)
        for _ in range(A_TURN):
            feed.tell(record_of(life, number))
            number += 1
        told = begins(life) + (number - 1) * GAP
        os.write(out, _MARK.pack(time.monotonic(), told, safe))
        await asyncio.sleep(0.002)
    os.close(out)
    await recorder.stop()
    await running


if __name__ == "__main__":
    folder, born, path, length = sys.argv[1:]
    asyncio.run(live(Path(folder), int(born), Path(path), int(length)))
