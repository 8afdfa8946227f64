"""Stored books told as if they happened now."""

import asyncio
import itertools
import time
from pathlib import Path

import databento
import pytest

from tests.fakes.invented_book import invented_book
from tradingd.config.depth import ReplayDepth
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.feeds.depth_replay.feed import ReplayDepthFeed
from tradingd.kits.failure import ExitCode, Failure

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
AAPL = "dbn/xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst"
SECOND = 1_000_000_000


class Hearer:
    """Keeps what it hears, and when."""

    def __init__(self) -> None:
        self.events: list[DepthEvent] = []
        self.heard: list[float] = []
        self.reaches: list[int] = []
        self.rooms = 0

    def event(self, event: DepthEvent) -> None:
        self.events.append(event)
        self.heard.append(time.perf_counter())
        assert not self.reaches or event.ts_recv > self.reaches[-1]

    def reached(self, ts: int) -> None:
        assert not self.events or ts >= self.events[-1].ts_recv
        self.reaches.append(ts)

    def gap(self, gap: DepthGap) -> None:
        raise AssertionError(gap)

    async def room(self) -> None:
        self.rooms += 1


async def told(path: Path, *symbols: str, close_after: float | None = None, **config) -> Hearer:
    feed, hearer = ReplayDepthFeed(ReplayDepth(path=str(path), **config)), Hearer()
    feed.listen(hearer)
    await feed.open()
    for symbol in symbols:
        await feed.subscribe(symbol)
    if close_after is not None:
        asyncio.get_running_loop().call_later(
            close_after, lambda: asyncio.ensure_future(feed.close())
        )
    await feed.run()
    await feed.close()
    return hearer


@pytest.mark.real_data
def test_every_record_is_told_in_order_with_its_book(real_data):
    hearer = asyncio.run(told(real_data / AAPL, "AAPL", speed=0))
    records = list(databento.DBNStore.from_bytes((real_data / AAPL).read_bytes()))
    assert len(hearer.events) == len(records)
    for event, one in zip(hearer.events, records, strict=True):
        assert (event.ts_recv, event.ts_event, event.sequence) == (
            one.ts_recv, one.ts_event, one.sequence,
        )  # fmt: skip
        assert (event.action, event.side, event.price) == (one.action, one.side, one.price)
        assert (event.size, event.depth) == (one.size, one.depth)
        assert event.closes is bool(int(one.flags) & 128)
        best = one.levels[0]
        assert event.book(1) == (
            best.bid_px, best.ask_px, best.bid_sz, best.ask_sz, best.bid_ct, best.ask_ct,
        )  # fmt: skip
    assert hearer.reaches[-1] == records[-1].ts_recv


@pytest.mark.real_data
def test_the_loop_gets_its_turn_all_the_time(real_data):
    async def go() -> tuple[Hearer, float]:
        worst = 0.0
        done = asyncio.create_task(told(real_data / FROG, "FROG", speed=0))
        while not done.done():
            before = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - before)
        return await done, worst

    hearer, worst = asyncio.run(go())
    assert len(hearer.events) == 17_451
    assert hearer.rooms > 10
    # Of the processor: the machine is shared. Without turns it would be the whole replay.
    assert worst < 0.1


@pytest.mark.real_data
def test_silence_passes_in_small_steps(real_data):
    hearer = asyncio.run(told(real_data / FROG, "FROG", speed=0))
    times = sorted([*hearer.reaches, *(one.ts_recv for one in hearer.events)])
    assert max(b - a for a, b in itertools.pairwise(times)) <= SECOND


@pytest.mark.real_data
def test_the_pace_is_that_of_the_data(real_data):
    began = time.perf_counter()
    hearer = asyncio.run(
        told(real_data / FROG, "FROG", speed=20.0, longest_wait=0.0, close_after=1.0)
    )
    passed = (hearer.events[-1].ts_recv - hearer.events[0].ts_recv) / SECOND
    assert 10 <= passed <= 20 * (time.perf_counter() - began) + 1
    first, at = hearer.events[0].ts_recv, hearer.heard[0]
    early = [
        at + (event.ts_recv - first) / SECOND / 20 - heard
        for event, heard in zip(hearer.events, hearer.heard, strict=True)
    ]
    assert max(early) < 0.005


@pytest.mark.real_data
def test_a_folder_of_two_days_is_refused(real_data, tmp_path):
    for source in (FROG, AAPL):
        (tmp_path / Path(source).name).symlink_to(real_data / source)
    with pytest.raises(Failure, match="one day") as refused:
        asyncio.run(told(tmp_path, "FROG", speed=0))
    assert refused.value.code is ExitCode.UNREADABLE_INPUT


def test_the_replay_begins_when_the_first_symbol_is_asked_for(tmp_path):
    invented_book(tmp_path, "FROG", rows=20)

    async def wait_then_ask() -> Hearer:
        feed, hearer = ReplayDepthFeed(ReplayDepth(path=str(tmp_path), speed=0)), Hearer()
        feed.listen(hearer)
        await feed.open()
        running = asyncio.create_task(feed.run())
        done, _ = await asyncio.wait({running}, timeout=0.1)
        assert not done
        assert not hearer.events
        await feed.subscribe("FROG")
        await running
        return hearer

    assert len(asyncio.run(wait_then_ask()).events) == 20


def test_time_passes_for_a_symbol_that_is_asked_for_later(tmp_path):
    for symbol in ("FROG", "AAPL"):
        invented_book(tmp_path, symbol, rows=40)

    async def ask_later() -> Hearer:
        feed, hearer = ReplayDepthFeed(ReplayDepth(path=str(tmp_path), speed=10)), Hearer()
        feed.listen(hearer)
        await feed.open()
        await feed.subscribe("FROG")
        running = asyncio.create_task(feed.run())
        async with asyncio.timeout(30):
            while len(hearer.events) < 10:  # noqa: ASYNC110 - the feed tells no waiter
                await asyncio.sleep(0.005)
        await feed.subscribe("AAPL")
        await running
        return hearer

    events = asyncio.run(ask_later()).events
    first = next(one for one in events if one.symbol == "AAPL")
    assert first.ts_recv >= events[9].ts_recv
    assert sum(one.symbol == "FROG" for one in events) == 40
    assert 0 < sum(one.symbol == "AAPL" for one in events) <= 31


@pytest.mark.real_data
def test_the_same_book_twice_is_refused(real_data, tmp_path):
    for name in ("a.dbn.zst", "b.dbn.zst"):
        (tmp_path / name).symlink_to(real_data / AAPL)
    with pytest.raises(Failure, match="two files have books of AAPL"):
        asyncio.run(told(tmp_path, "AAPL", speed=0))


@pytest.mark.real_data
def test_a_symbol_that_is_not_in_the_files_is_refused_by_name(real_data):
    with pytest.raises(Failure) as refused:
        asyncio.run(told(real_data / FROG, "FROGG", speed=0))
    assert refused.value.code is ExitCode.UNKNOWN_SYMBOL
    assert "did you mean FROG?" in refused.value.line()


@pytest.mark.parametrize(
    "name",
    ["mbp-1", "tbbo", "bbo-1s", "bbo-1m", "cbbo-1s", "cmbp-1", "mbp-10"],
)
@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.real_data
def test_every_schema_with_books_is_told(real_data, name, version):
    path = real_data / "dbn" / "dbn" / f"test_data.{name}.{version}.dbn.zst"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    feed = ReplayDepthFeed(ReplayDepth(path=str(path)))
    asyncio.run(feed.open())
    hearer = asyncio.run(told(path, *sorted(feed.symbols() or ()), speed=0))
    records = list(databento.DBNStore.from_bytes(path.read_bytes()))
    assert len(hearer.events) == len(records)
    for event, one in zip(hearer.events, records, strict=True):
        best = one.levels[0]
        wanted = [None if px == databento.UNDEF_PRICE else px for px in (best.bid_px, best.ask_px)]
        assert list(event.book(2)[:4]) == [*wanted, best.bid_sz, best.ask_sz]


@pytest.mark.real_data
def test_a_file_without_books_is_refused_by_its_schema(real_data):
    path = real_data / "dbn" / "dbn" / "test_data.trades.v3.dbn.zst"
    with pytest.raises(Failure) as refused:
        asyncio.run(told(path, speed=0))
    assert "schema trades" in refused.value.line()


def test_nothing_to_replay_is_said(tmp_path):
    with pytest.raises(Failure, match="no books to replay"):
        asyncio.run(told(tmp_path, speed=0))
