"""Run a recorder for a test and read what it published."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fakes.depth_feed import HandFeed
from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.recorder.recorder import Recorder

WALL = 1_743_687_000 * 1_000_000_000
"""2025-04-03 09:30:00 in New York, UTC ns."""


@asynccontextmanager
async def recording(
    root: Path,
    feed: HandFeed,
    *,
    alerts: list[Alert] | None = None,
    wall: Callable[[], int] = lambda: WALL,
    linger: bool = False,
    **settings: Any,
) -> AsyncIterator[Recorder]:
    """A recorder that runs; at the end it is stopped in order."""
    config = RecordConfig(**{"symbols": ("AAA",), **settings})
    emit = (alerts if alerts is not None else []).append
    recorder = Recorder(config, feed, root, wall=wall, emit=emit, linger=linger)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    try:
        yield recorder
    finally:
        await recorder.stop()
        await running


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


def snapshots(root: Path, symbol: str = "AAA") -> pa.Table:
    """All published snapshots of a symbol, file after file."""
    files = sorted((root / symbol).glob("*_snapshots_*.parquet"))
    return pa.concat_tables([pq.read_table(one) for one in files])


def column(table: pa.Table, name: str) -> list[Any]:
    """A column as plain values; times as UTC ns."""
    values = table[name]
    return (values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values).to_pylist()


def message_logs(root: Path, symbol: str = "AAA") -> list[dict[str, Any]]:
    """All published message logs of a symbol."""
    return [json.loads(one.read_bytes()) for one in sorted((root / symbol).glob("*_messages_*"))]


def statistics(root: Path) -> list[dict[str, Any]]:
    """All published session statistics."""
    return [json.loads(one.read_bytes()) for one in sorted(root.glob("session_stats_*.json"))]


def unfinished(root: Path) -> list[Path]:
    """Folders of captures that are neither published nor damaged."""
    return [one for one in root.glob("*/.recording/*") if one.suffix != ".damaged"]
