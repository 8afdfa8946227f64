"""Databento's gateway, in a process of its own, floods a recorder through the vendor's client.

The whole way of a live record: socket, client's thread, bounded queue (20,000), loop, recorder.
The rate rises until the queue drops; the drops must be counted, told as an alert, and stated in
the session's statistics. A client that reads more slowly than is offered is offered less: the
socket is full then, and `taken` falls without a drop.
"""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import uvloop

from tests.servers.databento_gateway import KEY, databento_gateway, record
from tradingd.config.depth import DatabentoDepth
from tradingd.config.record import RecordConfig
from tradingd.config.secrets import Secret
from tradingd.domain.alerts import Alert
from tradingd.feeds.databento.feed import DatabentoDepthFeed
from tradingd.recorder.recorder import Recorder

QUEUE: Final = 20_000
KNOWN: Final = {name: 100 + number for number, name in enumerate(("AA", "BB", "CC", "DD", "EE"))}
SMALL: Final = 500
"""Records: a queue that drops on any machine."""

_WORDS: Final = 46
"""8-byte words of an MBP-10 record."""


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """One rate: records offered and heard of, drops, p99 lateness of the loop in ms."""

    offered: int
    taken: int
    dropped: int
    told: int
    p99: float
    seconds: float


def serve(pipe: Connection) -> None:
    """Flood when told a rate and a time; say how many were sent."""
    rows = [np.frombuffer(bytes(record(one, time.time_ns())), "<u8") for one in KNOWN.values()]
    block = np.tile(np.array(rows), (2_000, 1))
    assert block.shape[1] == _WORDS
    sequence = 0
    with databento_gateway(KNOWN) as gateway:
        pipe.send(gateway.port)
        while asked := pipe.recv():
            rate, seconds = asked
            sent, began = 0, time.monotonic()
            while (past := time.monotonic() - began) < seconds:
                due = min(int(past * rate) - sent, len(block))
                if due > 0:
                    piece = block[:due].copy()
                    piece[:, 1] = piece[:, 4] = time.time_ns()
                    piece.view("<u4")[:, 11] = np.arange(sequence, sequence + due)
                    gateway.pour(piece.tobytes())
                    sent, sequence = sent + due, sequence + due
                time.sleep(0.001)
            pipe.send(sent)
    pipe.close()


@contextlib.contextmanager
def server() -> Iterator[tuple[Connection, int]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,))
    process.start()
    try:
        yield ours, ours.recv()
    finally:
        ours.send(None)
        process.join(10)


async def lateness(until: asyncio.Event) -> list[float]:
    found = []
    while not until.is_set():
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        found.append(max(0.0, time.perf_counter() - due) * 1_000)
    return sorted(found)


def stated_in(root: Path) -> int:
    """Return what the session's statistics say was dropped."""
    (document,) = root.glob("session_stats_*.json")
    dropped: int = msgspec.json.decode(document.read_bytes())["totals"]["dropped"]
    return dropped


async def flooded(
    root: Path, pipe: Connection, port: int, rate: int, seconds: float, queue: int
) -> Flood:
    config = DatabentoDepth(gateway="127.0.0.1", port=port, queue_events=queue)
    feed = DatabentoDepthFeed(config, Secret("env:KEY", KEY), wall=time.time_ns)
    alerts: list[Alert] = []
    settings = RecordConfig(symbols=tuple(KNOWN), flush_seconds=1.0)
    recorder = Recorder(settings, feed, root, wall=time.time_ns, emit=alerts.append)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    over = asyncio.Event()
    watching = asyncio.create_task(lateness(over))
    began = time.perf_counter()
    pipe.send((rate, seconds))
    offered = await asyncio.to_thread(pipe.recv)
    heard = -1
    while recorder.view().events != heard:
        heard = recorder.view().events
        await asyncio.sleep(0.2)
    took = time.perf_counter() - began - 0.4
    over.set()
    late = await watching
    await recorder.stop()
    await running
    view = recorder.view()
    told = sum(one.key == "recorder.dropped" for one in alerts)
    stated = stated_in(root)
    if feed.dropped:
        assert told, "drops without an alert"
        assert view.dropped_feed == feed.dropped
        assert stated >= feed.dropped, (stated, feed.dropped)
    assert heard + feed.dropped == offered, "records that neither came nor were counted"
    return Flood(
        offered=offered,
        taken=heard,
        dropped=feed.dropped,
        told=told,
        p99=late[int(len(late) * 0.99)],
        seconds=max(took, seconds),
    )


def measure(folder: Path, rates: list[int], seconds: float, say: Callable[[str], None]) -> None:
    """Raise the rate until something is dropped or the client reads no faster; print each."""
    with server() as (pipe, port):
        most = 0.0
        for queue, asked in ((QUEUE, rates), (SMALL, rates[-1:])):
            say(f"through the vendor's client and a queue of {queue:,}")
            for rate in asked:
                root = folder / f"flood-{queue}-{rate}"
                one = uvloop.run(flooded(root, pipe, port, rate, seconds, queue))
                sent = one.offered / seconds
                say(
                    f"  {rate:>8,}/s  sent {sent:>9,.0f}/s  taken "
                    f"{one.taken / one.seconds:>9,.0f}/s  late p99 {one.p99:6.2f} ms  "
                    f"dropped {one.dropped:,} (alerts {one.told})"
                )
                if one.dropped:
                    say(f"first drops: {sent:,.0f} events/s sent; counted, told and stated")
                    return
                if sent < 1.1 * most:
                    break
                most = sent
            say(f"no drops: the client reads no more than {most:,.0f}/s, and TCP holds the rest")
