"""What the tests of the feed share."""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

from tests.fakes.alpaca_market import CALENDAR, bar, closes
from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.domain.feed import Batch
from tradingd.domain.market import Resolution
from tradingd.feeds.alpaca.feed import AlpacaFeed
from tradingd.vendors.alpaca.keys import Keys

DAY = dt.date(2024, 7, 2)
MINUTES = closes(DAY)
SYMBOLS = ("AAPL", "MSFT")


def run(work: Coroutine[Any, Any, None], seconds: float = 20.0) -> None:
    asyncio.run(asyncio.wait_for(work, seconds))


def feed_of(
    url: str,
    *,
    resolution: Resolution = Resolution.MINUTE,
    symbols: tuple[str, ...] = SYMBOLS,
    secret: str = "secret",
    wall: Callable[[], int] = lambda: MINUTES[0],
    start_seconds: float = 5.0,
    **options: Any,
) -> AlpacaFeed:
    given = {"endpoint": url, "clock": "data", "requests_per_minute": 100_000, **options}
    return AlpacaFeed(
        AlpacaConfig(**given),
        Keys("PKTEST", secret),
        symbols=symbols,
        resolution=resolution,
        calendar=CALENDAR,
        wall=wall,
        ping_seconds=0.4,
        start_seconds=start_seconds,
    )


class Taker:
    """Takes the batches of a feed as they come."""

    def __init__(self, feed: AlpacaFeed) -> None:
        self.got: list[Batch] = []
        self.over = False
        self.error: Exception | None = None
        self.task = asyncio.create_task(self._take(feed))

    async def _take(self, feed: AlpacaFeed) -> None:
        try:
            async for batch in feed.batches():
                self.got.append(batch)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        self.over = True

    async def has(self, number: int) -> list[Batch]:
        await until(lambda: len(self.got) >= number)
        return self.got


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - whatever may make it true
            await asyncio.sleep(0.01)


def both(number: int) -> tuple[Any, Any]:
    return bar("AAPL", 20_000 + number), bar("MSFT", 40_000 + number)
