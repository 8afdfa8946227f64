"""Feeds over small data, and what they say."""

import asyncio
import datetime as dt
from collections.abc import Sequence

from tradingd.config.feed import ReplayFeed as FeedConfig
from tradingd.config.source import SampleSource as SampleConfig
from tradingd.domain.feed import Batch
from tradingd.domain.market import Resolution
from tradingd.feeds.make import make_feed
from tradingd.feeds.memory import MemoryBars
from tradingd.feeds.replay import ReplayFeed
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.sample.source import SampleSource

CALENDAR = SessionCalendar()


def sample_bars() -> MemoryBars:
    source = SampleSource(SampleConfig(), CALENDAR)

    def load() -> dict[str, object]:
        return {symbol: table for task in source.tasks() for symbol, table in task.load()}

    return MemoryBars("the sample", Resolution.DAY, load, source.actions)


def sample_feed(**settings: object) -> ReplayFeed:
    config = FeedConfig(data="sample", **{"speed": 0, **settings})
    return make_feed(
        config, resolution=Resolution.DAY, calendar=CALENDAR, stored={"sample": sample_bars()}
    )


def synthetic_feed(**settings: object) -> ReplayFeed:
    start = dt.date(2024, 7, 2)
    config = FeedConfig(
        data="synthetic", **{"speed": 0, "symbols": 3, "days": 2, "start": start, **settings}
    )
    return make_feed(config, resolution=Resolution.MINUTE, calendar=CALENDAR, stored={})


async def collect(feed: ReplayFeed, resume_after: int = 0, most: int = 1 << 30) -> list[Batch]:
    found: list[Batch] = []
    await feed.open(resume_after)
    try:
        async for batch in feed.batches():
            found.append(batch)
            if len(found) == most:
                break
    finally:
        await feed.close()
    return found


def stream(feed: ReplayFeed, resume_after: int = 0, most: int = 1 << 30) -> list[Batch]:
    return asyncio.run(collect(feed, resume_after, most))


def history(feed: ReplayFeed, before: int, bars: int) -> Sequence[Batch]:
    async def ask() -> Sequence[Batch]:
        await feed.open(0)
        try:
            return await feed.history(before, bars)
        finally:
            await feed.close()

    return asyncio.run(ask())
