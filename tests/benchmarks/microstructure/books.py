"""A day of synthetic books in our snapshot layout: says something of machines, not of markets."""

import datetime as dt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tradingd.level2.assemble import NOT_COUNTED, Head, record_batch
from tradingd.level2.columns import snapshot_schema
from tradingd.level2.facts import snapshot_facts
from tradingd.level2.writer import SnapshotWriter

DAY = dt.date(2025, 4, 3)
LEVELS = 10
_OPEN_NS = 1_743_687_000_000_000_000
_SESSION_NS = 23_400 * 10**9
_CHUNK = 250_000
_MID_MOVES = 0.1
_SIZE_CHANGES = 0.08


def write_day(path: Path, rows: int) -> None:
    """Write a regular session: a tenth of the rows move the mid and with it every level's price."""
    rng = np.random.default_rng(7)
    facts = snapshot_facts(
        symbol="SYN", day=DAY, levels=LEVELS, interval_ms=0, on_change=True, source="replay"
    )
    step = _SESSION_NS // rows
    mid = 1_000_000
    with SnapshotWriter(path, snapshot_schema(LEVELS), facts) as writer:
        for start in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - start)
            ts = _OPEN_NS + (start + np.arange(count, dtype=np.int64)) * step
            moves = rng.choice([-100, 100], count) * (rng.random(count) < _MID_MOVES)
            walk = mid + np.cumsum(moves)
            mid = int(walk[-1])
            head = Head(
                ts=ts,
                ts_event=ts,
                ts_recv=ts,
                sequence=np.arange(start, start + count, dtype=np.int64),
                events=np.ones(count, np.int32),
                on_change=np.ones(count, np.bool_),
                quality=np.zeros(count, np.int16),
            )
            writer.write(record_batch("SYN", head, _book(rng, walk, count)))


def _book(rng: np.random.Generator, walk: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    book = np.full((6 * LEVELS, count), NOT_COUNTED, np.int32)
    for level in range(LEVELS):
        book[6 * level] = walk - 100 * (level + 1)
        book[6 * level + 1] = walk + 100 * level
        book[6 * level + 2] = _held(rng, count)
        book[6 * level + 3] = _held(rng, count)
    return book


def _held(rng: np.random.Generator, count: int) -> NDArray[np.int32]:
    """Sizes that change now and then and stand between."""
    lengths = rng.geometric(_SIZE_CHANGES, int(count * _SIZE_CHANGES * 1.3) + 10)
    sizes = np.repeat(rng.integers(1, 50, len(lengths)) * 100, lengths)[:count]
    return np.resize(sizes, count).astype(np.int32)
