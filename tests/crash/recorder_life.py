"""One life of a recorder on a feed whose books anybody can compute, for the kill schedule."""

import asyncio
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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

_MARK: Final = struct.Struct("=dq")


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


def marks(path: Path) -> Iterator[tuple[float, int]]:
    """Yield when, by the monotonic clock, all records up to which data time had been told."""
    content = path.read_bytes() if path.exists() else b""
    yield from _MARK.iter_unpack(content[: len(content) // _MARK.size * _MARK.size])


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
    number = 0
    for _ in range(turns):
        for _ in range(A_TURN):
            feed.tell(record_of(life, number))
            number += 1
        os.write(out, _MARK.pack(time.monotonic(), begins(life) + (number - 1) * GAP))
        await asyncio.sleep(0.002)
    os.close(out)
    await recorder.stop()
    await running


if __name__ == "__main__":
    folder, born, path, length = sys.argv[1:]
    asyncio.run(live(Path(folder), int(born), Path(path), int(length)))
