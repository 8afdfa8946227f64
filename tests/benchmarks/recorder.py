"""How many book events a second the recorder takes before the loop lags, and when it first drops.

    python -m tests.benchmarks.recorder [--seconds 3] [--rates 25000 50000 ...]

5 symbols x 10 levels at 100 ms, on uvloop, into a temporary folder; with and without message log.
A generator on the loop tells every millisecond what is due by then; a timer of its own measures
how late the loop wakes it. A rate is sustained while 99 of 100 wake-ups are less than 10 ms late
and everything offered was taken. Then the same through a queue of 20,000 records, as live feeds
have, for the rate at which it first drops. `nothing` is a listener that does nothing: what the
generator itself costs; on a machine that others use, look at that and at how busy the loop was.
It prints; it asserts only that what was dropped was counted and told.
"""

import argparse
import asyncio
import gc
import itertools
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.recorder.recorder import Recorder

SYMBOLS: Final = ("AAA", "BBB", "CCC", "DDD", "EEE")
RATES: Final = (25_000, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000, 800_000)
LIMIT: Final = 0.010
QUEUE: Final = 20_000
AT_ONCE: Final = 256
START: Final = 1_743_687_000 * SECOND


class Nothing:
    """Hears and does nothing."""

    def event(self, event: DepthEvent) -> None: ...
    def reached(self, ts: int) -> None: ...
    def gap(self, gap: DepthGap) -> None: ...


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one rate gave; milliseconds."""

    offered: int
    taken: int
    p50: float
    p99: float
    most: float
    dropped: int
    busy: float
    """Share of a processor that the loop's thread took, the generator included."""

    @property
    def sustained(self) -> bool:
        return self.p99 < LIMIT * 1_000 and self.taken > 0.98 * self.offered and not self.dropped


def events_of(rate: int, seconds: float) -> list[DepthEvent]:
    books = [ladder(1_000 + n, 1_010 + n) for n in range(50)]
    step = SECOND // rate
    return [
        record(SYMBOLS[n % 5], START + n * step, books[n % 50], sequence=n)
        for n in range(int(rate * seconds))
    ]


async def lags(until: asyncio.Event) -> list[float]:
    """Lateness of a timer of a millisecond."""
    loop, found = asyncio.get_running_loop(), []
    while not until.is_set():
        due = loop.time() + 0.001
        await asyncio.sleep(0.001)
        found.append(max(0.0, loop.time() - due))
    return found


async def offered(listener: Any, events: list[DepthEvent], rate: int, seconds: float) -> int:
    """Tell what is due, every millisecond, for so many seconds; return how many were told."""
    loop, told = asyncio.get_running_loop(), 0
    began = loop.time()
    while (passed := loop.time() - began) < seconds:
        due = min(len(events), int(passed * rate))
        tell = listener.event
        for event in events[told:due]:
            tell(event)
        told = due
        await asyncio.sleep(0.001)
    return told


async def queued(feed: HandFeed, events: list[DepthEvent], rate: int, seconds: float) -> int:
    """Tell through a bounded queue, a slice at a time; what finds it full is dropped and told."""
    loop, offer, told = asyncio.get_running_loop(), 0, 0
    queue: deque[DepthEvent] = deque()
    began = loop.time()
    lost = 0
    while (passed := loop.time() - began) < seconds:
        due = min(len(events), int(passed * rate))
        room = min(due - offer, QUEUE - len(queue))
        queue.extend(events[offer : offer + room])
        if due - offer > room:
            lost += due - offer - room
            feed.dropped += due - offer - room
        elif lost:
            ts = events[offer].ts_recv
            feed.listener.gap(DepthGap(symbol="", ts=ts, reason="dropped", lost=lost))
            lost = 0
        offer = due
        for event in itertools.islice(iter_pop(queue), AT_ONCE):
            feed.listener.event(event)
            told += 1
        await asyncio.sleep(0)
    if lost:
        feed.listener.gap(DepthGap(symbol="", ts=START, reason="dropped", lost=lost))
    return told


def iter_pop(queue: deque[DepthEvent]) -> Any:
    while queue:
        yield queue.popleft()


async def measured(
    root: Path, rate: int, seconds: float, *, messages: bool, through_queue: bool
) -> Run:
    events = events_of(rate, seconds)
    gc.collect()
    gc.freeze()
    alerts: list[Alert] = []
    feed = HandFeed()
    config = RecordConfig(symbols=SYMBOLS, messages=messages, flush_seconds=1.0)
    recorder = Recorder(config, feed, root, wall=time.time_ns, emit=alerts.append)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    over = asyncio.Event()
    watching = asyncio.create_task(lags(over))
    cpu = time.thread_time()
    if through_queue:
        taken = await queued(feed, events, rate, seconds)
    else:
        taken = await offered(recorder, events, rate, seconds)
    busy = (time.thread_time() - cpu) / seconds
    over.set()
    found = sorted(await watching)
    dropped = feed.dropped + recorder.view().dropped_messages + recorder.view().dropped_rows
    if dropped:
        assert any(one.key in ("recorder.dropped", "recorder.writer") for one in alerts)
        assert recorder.view().dropped_feed == feed.dropped
    await recorder.stop()
    await running
    assert stated(root) >= dropped
    gc.unfreeze()
    return run_of(int(rate * seconds), taken, found, dropped, busy)


def stated(root: Path) -> int:
    """Return what the session's statistics say was dropped."""
    (document,) = root.glob("session_stats_*.json")
    dropped: int = msgspec.json.decode(document.read_bytes())["totals"]["dropped"]
    return dropped


async def of_nothing(rate: int, seconds: float) -> Run:
    events = events_of(rate, seconds)
    over = asyncio.Event()
    watching = asyncio.create_task(lags(over))
    cpu = time.thread_time()
    taken = await offered(Nothing(), events, rate, seconds)
    busy = (time.thread_time() - cpu) / seconds
    over.set()
    return run_of(int(rate * seconds), taken, sorted(await watching), 0, busy)


def run_of(offer: int, taken: int, found: list[float], dropped: int, busy: float) -> Run:
    ms = [one * 1_000 for one in found]
    return Run(
        offered=offer,
        taken=taken,
        p50=ms[len(ms) // 2],
        p99=ms[int(len(ms) * 0.99)],
        most=ms[-1],
        dropped=dropped,
        busy=busy,
    )


def per_event(*, messages: bool, root: Path) -> float:
    """Return the nanoseconds that one event costs on the loop, without anything else."""

    async def go() -> float:
        events = events_of(100_000, 2.0)
        config = RecordConfig(symbols=SYMBOLS, messages=messages, flush_seconds=300)
        feed = HandFeed()
        recorder = Recorder(config, feed, root, wall=time.time_ns, emit=lambda alert: None)
        await recorder.start()
        gc.collect()
        gc.freeze()
        cpu = time.thread_time()
        for event in events:
            recorder.event(event)
        spent = time.thread_time() - cpu
        await recorder.stop()
        gc.unfreeze()
        return spent / len(events) * 1e9

    return asyncio.run(go())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for messages in (False, True):
            cost = per_event(messages=messages, root=Path(folder) / f"cost-{messages}")
            say(f"{'with' if messages else 'without'} message log: {cost:,.0f} ns an event")
        say("nothing at all")
        for rate in given.rates[-2:]:
            show(rate, uvloop.run(of_nothing(rate, given.seconds)))
        for through_queue, messages in itertools.product((False, True), (False, True)):
            where = "through a queue" if through_queue else "straight from the loop"
            say(f"{where}, {'with' if messages else 'without'} message log")
            best = 0
            for number, rate in enumerate(given.rates):
                root = Path(folder) / f"{through_queue}-{messages}-{number}"
                one = uvloop.run(
                    measured(
                        root, rate, given.seconds, messages=messages, through_queue=through_queue
                    )
                )
                show(rate, one)
                if not one.sustained:
                    break
                best = rate
            say(f"  sustained: {best:,} events/s")


def show(rate: int, one: Run) -> None:
    say(
        f"  {rate:>9,}/s  taken {one.taken / one.offered:6.1%}  late p50 {one.p50:6.2f} ms  "
        f"p99 {one.p99:6.2f}  most {one.most:7.2f}  dropped {one.dropped:,}  "
        f"loop {one.busy:4.0%} busy"
    )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
