"""Events a second through `DatabentoDepthFeed`, from a local gateway to an empty listener.

`python -m tests.benchmarks.depth_feeds [RECORDS]`. The gateway is a process of its own and sends as
fast as it is read. Prints the whole way, the client's share (the same records through
`databento.Live` into an empty callback), and the longest time that the loop was held.
"""

import asyncio
import multiprocessing
import sys
import threading
import time
from multiprocessing.connection import Connection

import databento
import uvloop

from tests.servers.databento_gateway import KEY, databento_gateway, record
from tradingd.config.depth import DatabentoDepth
from tradingd.config.secrets import Secret
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.feeds.databento.feed import DatabentoDepthFeed

KNOWN = {f"S{number}": 100 + number for number in range(5)}


class Nobody:
    """Counts."""

    def __init__(self) -> None:
        self.events = 0
        self.lost = 0

    def event(self, event: DepthEvent) -> None:
        self.events += 1

    def reached(self, ts: int) -> None:
        pass

    def gap(self, gap: DepthGap) -> None:
        self.lost += gap.lost


def serve(pipe: Connection, count: int) -> None:
    """Serve in a process of its own; pour when told to."""
    start = time.time_ns()
    five = [
        bytes(record(number, start + at, sequence=at))
        for at, number in enumerate(KNOWN.values(), 1)
    ]
    with databento_gateway(KNOWN) as gateway:
        pipe.send(gateway.port)
        while pipe.recv():
            for _ in range(10):
                gateway.pour(b"".join(five) * (count // 50))
    pipe.close()


async def through_the_feed(pipe: Connection, port: int, count: int) -> tuple[float, float, int]:
    """Return events/s, the longest hold of the loop in seconds, and how many were dropped."""
    config = DatabentoDepth(gateway="127.0.0.1", port=port)
    feed = DatabentoDepthFeed(config, Secret("env:KEY", KEY), wall=time.time_ns)
    nobody = Nobody()
    feed.listen(nobody)
    await feed.open()
    for symbol in KNOWN:
        await feed.subscribe(symbol)
    pipe.send(True)
    while not nobody.events:  # noqa: ASYNC110 - an event would be part of what is measured
        await asyncio.sleep(0.001)
    began = at = time.perf_counter()
    longest = 0.0
    while nobody.events + nobody.lost < count:
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - at - 0.001)
        at = time.perf_counter()
    rate = nobody.events / (at - began)
    await feed.close()
    return rate, longest, feed.dropped


def through_the_client(pipe: Connection, port: int, count: int) -> float:
    """Return records/s of the vendor's client into an empty callback."""
    client = databento.Live(key=KEY, gateway="127.0.0.1", port=port, heartbeat_interval_s=5)
    heard = 0
    done = threading.Event()
    began = 0.0

    def callback(one: object) -> None:
        nonlocal heard, began
        if type(one) is databento.MBP10Msg:
            heard += 1
            if heard == 1:
                began = time.perf_counter()
            elif heard == count:
                done.set()

    client.add_callback(callback)
    client.subscribe("XNAS.ITCH", "mbp-10", list(KNOWN))
    client.start()
    time.sleep(0.2)
    pipe.send(True)
    done.wait(60)
    rate = heard / (time.perf_counter() - began)
    client.terminate()
    return rate


def main() -> None:
    """Measure both, in turn."""
    count = int(sys.argv[1]) // 50 * 50 if len(sys.argv) > 1 else 300_000
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, count))
    server.start()
    port = ours.recv()
    client = through_the_client(ours, port, count)
    rate, longest, dropped = uvloop.run(through_the_feed(ours, port, count))
    ours.send(False)
    server.join(10)
    print(f"records                    {count:>12,}")
    print(f"client, empty callback     {client:>12,.0f} /s")
    print(f"feed, empty listener       {rate:>12,.0f} /s   {rate / client:.2f} of the client's")
    print(f"dropped                    {dropped:>12,}")
    print(f"longest hold of the loop   {longest * 1e3:>12.1f} ms")


if __name__ == "__main__":
    main()
