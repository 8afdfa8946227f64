"""Book events a second that the recorder takes before it makes the loop late, and when it drops.

    python -m tests.benchmarks.recorder [--seconds 1.5] [--pairs 3] [--rates 25000 50000 ...]

5 symbols x 10 levels at 100 ms, with message log, on uvloop, into a temporary folder.

Straight: a generator on the loop tells every millisecond what is due; a timer of a millisecond
measures how late the loop wakes it. Each run has a control in the same moment: the same generator
into a listener that does nothing. What is judged is the recorder's own part, the 99th percentile
of lateness less the control's, of the best of `--pairs` pairs: other programs on the machine make
a pair worse, never better. A rate is sustained while that is below 10 ms and all was taken.

Through a socket: `recorder_flood`, for the rate at which the first record is dropped.

It prints; it asserts only that what was dropped was counted, told and stated.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from tests.benchmarks import recorder_flood
from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent
from tradingd.recorder.recorder import Recorder

SYMBOLS: Final = ("AAA", "BBB", "CCC", "DDD", "EEE")
RATES: Final = (50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 800_000)
LIMIT: Final = 10.0
"""Milliseconds."""
START: Final = 1_743_687_000 * SECOND


class Nothing:
    """Hears and does nothing."""

    def event(self, event: DepthEvent) -> None: ...
    def reached(self, ts: int) -> None: ...


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One listener at one rate: share taken, lateness in ms, processor ns an event on the loop."""

    taken: float
    p50: float
    p99: float
    cost: float
    dropped: int = 0


class Pair(msgspec.Struct, frozen=True):
    """The recorder, and nothing, at the same rate in the same moment."""

    recorder: Run
    control: Run

    @property
    def own(self) -> float:
        """Milliseconds by which the recorder makes the loop later."""
        return max(0.0, self.recorder.p99 - self.control.p99)

    @property
    def sustained(self) -> bool:
        mine = self.recorder
        return self.own < LIMIT and not mine.dropped and mine.taken > 0.98 * self.control.taken


def events_of(rate: int, seconds: float) -> list[DepthEvent]:
    books = [ladder(1_000 + n, 1_010 + n) for n in range(50)]
    step = SECOND // rate
    return [
        record(SYMBOLS[n % 5], START + n * step, books[n % 50], sequence=n)
        for n in range(int(rate * seconds))
    ]


@contextmanager
def unwatched() -> Iterator[None]:
    """The events of a run are not the collector's business."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def lags(until: asyncio.Event) -> list[float]:
    """Lateness of a timer of a millisecond, in ms."""
    found = []
    while not until.is_set():
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        found.append(max(0.0, time.perf_counter() - due) * 1_000)
    return found


async def offered(listener: Any, events: list[DepthEvent], rate: int, seconds: float) -> Run:
    """Tell what is due, every millisecond, for so many seconds."""
    over = asyncio.Event()
    watching = asyncio.create_task(lags(over))
    told, cpu, began = 0, time.thread_time(), time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        due = min(len(events), int(passed * rate))
        tell = listener.event
        for event in events[told:due]:
            tell(event)
        told = due
        await asyncio.sleep(0.001)
    cost = (time.thread_time() - cpu) / max(told, 1) * 1e9
    over.set()
    late = sorted(await watching)
    return Run(
        taken=told / len(events),
        p50=late[len(late) // 2],
        p99=late[int(len(late) * 0.99)],
        cost=cost,
    )


async def recorded(root: Path, events: list[DepthEvent], rate: int, seconds: float) -> Run:
    feed = HandFeed()
    alerts: list[Alert] = []
    config = RecordConfig(symbols=SYMBOLS, flush_seconds=1.0)
    recorder = Recorder(config, feed, root, wall=time.time_ns, emit=alerts.append)
    await recorder.start()
    running = asyncio.create_task(recorder.run())
    found = await offered(recorder, events, rate, seconds)
    view = recorder.view()
    await recorder.stop()
    await running
    dropped = view.dropped_messages + view.dropped_rows
    assert bool(dropped) == any(one.key == "recorder.writer" for one in alerts)
    return msgspec.structs.replace(found, dropped=dropped)


def pair(folder: Path, rate: int, seconds: float) -> Pair:
    events = events_of(rate, seconds)
    with tempfile.TemporaryDirectory(dir=folder) as root, unwatched():
        control = uvloop.run(offered(Nothing(), events, rate, seconds))
        mine = uvloop.run(recorded(Path(root) / "level2", events, rate, seconds))
    return Pair(mine, control)


def best(folder: Path, rate: int, seconds: float, pairs: int) -> Pair:
    """Return the first pair that sustains the rate, or the best of all."""
    found: list[Pair] = []
    for _ in range(pairs):
        found.append(pair(folder, rate, seconds))
        if found[-1].sustained:
            break
    return min(found, key=lambda one: (not one.sustained, one.own))


def straight(folder: Path, rates: list[int], seconds: float, pairs: int) -> None:
    say("straight from the loop: recorder, and a listener that does nothing")
    sustained = 0
    for rate in rates:
        one = best(folder, rate, seconds, pairs)
        mine, nothing = one.recorder, one.control
        say(
            f"  {rate:>8,}/s  taken {mine.taken:4.0%}/{nothing.taken:4.0%}  late p50 "
            f"{mine.p50:5.2f}/{nothing.p50:5.2f} ms  p99 {mine.p99:6.2f}/{nothing.p99:6.2f}  "
            f"own {one.own:6.2f}  cost {mine.cost:5.0f}/{nothing.cost:5.0f} ns "
            f"= {mine.cost / nothing.cost:.1f}x  dropped {mine.dropped:,}"
        )
        if not one.sustained:
            break
        sustained = rate
    say(f"sustained, the recorder making the loop less than 10 ms later: {sustained:,} events/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        straight(Path(folder), given.rates, given.seconds, given.pairs)
        recorder_flood.measure(Path(folder), given.rates, given.seconds, say)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
