"""The recorder beside the trading: whatever it fails with, trading hears of it and goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tests.fakes.recording import WALL, snapshots, until
from tradingd.app.trading.recording import Recording
from tradingd.config.load import load
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent
from tradingd.kits.failure import ExitCode, Failure
from tradingd.recorder.recorder import Recorder


class Feed(HandFeed):
    """A feed with an error of its own kind in it, at a place of the test's choice."""

    def __init__(self, trouble: str = "") -> None:
        super().__init__()
        self._trouble = trouble
        self.broken = asyncio.Event()

    async def open(self) -> None:
        if self._trouble == "open":
            raise ZeroDivisionError("a bug")

    async def subscribe(self, symbol: str) -> None:
        if self._trouble == "subscribe":
            raise ZeroDivisionError("a bug")
        await super().subscribe(symbol)

    async def run(self) -> None:
        if self._trouble != "run":
            return await super().run()
        await self.broken.wait()
        raise ZeroDivisionError("a bug")

    async def close(self) -> None:
        await super().close()
        if self._trouble == "close":
            raise ZeroDivisionError("a bug")


class Scene:
    """A recording whose recorders get the feeds of the test, one after the other."""

    def __init__(self, root: Path, *feeds: Feed) -> None:
        self.feeds = list(feeds)
        self.alerts: list[Alert] = []
        self.made: list[Recorder] = []
        config = load(["record.enabled=true", "record.symbols=[AAA]"]).config

        def make() -> Recorder:
            feed = self.feeds[len(self.made)]
            recorder = Recorder(
                config.record, feed, root, wall=lambda: WALL, emit=self.alerts.append, linger=True
            )
            self.made.append(recorder)
            return recorder

        self.recording = Recording(config, make, emit=self.alerts.append, waits=(0.01, 0.02))

    def told(self) -> list[tuple[str, bool]]:
        return [(one.body, one.resolved) for one in self.alerts if one.key == "recording"]


def tell(feed: Feed, at: int) -> DepthEvent:
    return record("AAA", WALL + at * SECOND, ladder(1000 + at, 1010 + at))


async def ended(scene: Scene, running: asyncio.Task[None]) -> None:
    await scene.recording.stop()
    await asyncio.wait_for(running, 30)


@pytest.mark.parametrize("place", ["open", "subscribe", "run"])
def test_an_error_that_nobody_foresaw_is_told_counted_and_tried_again(tmp_path, place):
    async def go() -> Scene:
        scene = Scene(tmp_path, Feed(place), Feed())
        running = asyncio.create_task(scene.recording.run())
        scene.feeds[0].broken.set()
        await until(lambda: scene.recording.failures == 1)
        await until(lambda: scene.recording.state == "recording" and len(scene.made) == 2)
        await until(lambda: scene.feeds[1].subscribed)
        scene.feeds[1].tell(tell(scene.feeds[1], 0), tell(scene.feeds[1], 1))
        await ended(scene, running)
        return scene

    scene = asyncio.run(go())
    (failed, again) = scene.told()
    assert "a bug" in failed[0]
    assert "failure 1" in failed[0]
    assert (failed[1], again[1]) == (False, True)
    assert snapshots(tmp_path).num_rows == 10


def test_what_was_recorded_before_an_error_is_published_and_counts(tmp_path):
    async def go() -> Scene:
        scene = Scene(tmp_path, Feed("run"), Feed())
        running = asyncio.create_task(scene.recording.run())
        first = scene.feeds[0]
        await until(lambda: first.subscribed)
        first.dropped = 7
        first.tell(tell(first, 0), tell(first, 1))
        first.broken.set()
        await until(lambda: len(scene.made) == 2 and scene.recording.state == "recording")
        assert scene.recording.totals().lost == 7
        assert scene.recording.totals().events > 0
        assert snapshots(tmp_path).num_rows == 10
        await ended(scene, running)
        return scene

    asyncio.run(go())


def test_a_feed_that_cannot_be_closed_costs_nothing_of_what_was_recorded(tmp_path):
    async def go() -> None:
        scene = Scene(tmp_path, Feed("close"))
        running = asyncio.create_task(scene.recording.run())
        await until(lambda: scene.feeds[0].subscribed)
        scene.feeds[0].tell(tell(scene.feeds[0], 0), tell(scene.feeds[0], 1))
        await ended(scene, running)

    asyncio.run(go())
    assert snapshots(tmp_path).num_rows == 10


def test_symbols_that_a_person_asked_for_or_released_stay_so_after_an_error(tmp_path):
    async def go() -> None:
        scene = Scene(tmp_path, Feed("run"), Feed())
        running = asyncio.create_task(scene.recording.run())
        await until(lambda: scene.recording.state == "recording")
        await scene.recording.ask("BBB", True)
        await scene.recording.ask("AAA", False)
        scene.feeds[0].broken.set()
        await until(lambda: len(scene.made) == 2 and "BBB" in scene.feeds[1].subscribed)
        await until(lambda: "AAA" not in scene.feeds[1].subscribed)
        await ended(scene, running)

    asyncio.run(go())


def test_a_recorder_that_failed_takes_no_symbols(tmp_path):
    async def go() -> None:
        scene = Scene(tmp_path, Feed("run"), *[Feed("open") for _ in range(1_000)])
        running = asyncio.create_task(scene.recording.run())
        await until(lambda: scene.recording.state == "recording")
        scene.feeds[0].broken.set()
        await until(lambda: scene.recording.failures)
        with pytest.raises(Failure, match="no order books are recorded") as refused:
            await scene.recording.ask("BBB", True)
        assert refused.value.code is ExitCode.REFUSED
        await ended(scene, running)

    asyncio.run(go())


def test_a_stop_during_the_start_or_a_wait_ends_it(tmp_path):
    async def go(feed: Feed, when: Callable[[Scene], Any]) -> None:
        scene = Scene(tmp_path, feed, *[Feed("open") for _ in range(1_000)])
        running = asyncio.create_task(scene.recording.run())
        await until(lambda: when(scene))
        await ended(scene, running)

    asyncio.run(go(Feed(), lambda scene: scene.made))
    asyncio.run(go(Feed("open"), lambda scene: scene.recording.state == "failed"))
