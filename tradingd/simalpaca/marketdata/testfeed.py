"""The test feed: one made-up symbol, at any hour, on wall time."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

from tradingd.simalpaca.marketdata import channels, derive, view
from tradingd.simalpaca.marketdata.batch import Message
from tradingd.simalpaca.marketdata.store import StoredBar, StoredQuote, StoredTrade
from tradingd.simalpaca.marketdata.streams import Streams
from tradingd.simalpaca.marketdata.times import MINUTE
from tradingd.simbroker.amounts import CENT, ONE

SYMBOL: Final = "FAKEPACA"
_PRICE: Final = 130 * ONE
_TICKS_A_BAR: Final = 60


class TestFeed:
    """Sends a trade and a quote a tick and a bar every sixty, while somebody listens.

    Parameters
    ----------
    streams : Streams
        Where its clients are.
    wall : Callable
        Wall time, UTC ns.
    seconds : float
        Between two ticks.
    """

    # Not a test, whatever its name begins with.
    __test__ = False

    def __init__(self, streams: Streams, wall: Callable[[], int], seconds: float) -> None:
        self._streams = streams
        self._wall = wall
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._tick = 0

    def start(self) -> None:
        """Begin when somebody listens and nothing is sent yet."""
        if self._streams.tested() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name="simalpaca-test-feed")

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._streams.tested():
            self._streams.publish_test(self._messages())
            self._tick += 1
            await asyncio.sleep(self._seconds)

    def _messages(self) -> list[Message]:
        ts, price = self._wall(), _PRICE + self._tick % 100 * CENT
        quote = StoredQuote(ts, price - CENT, price + CENT, derive.LOT, derive.LOT)
        trade = StoredTrade(ts, price, 1, derive.EXCHANGE, "@")
        made = [
            Message(channels.TRADES, "t", SYMBOL, partial(view.trade, trade)),
            Message(channels.QUOTES, "q", SYMBOL, partial(view.quote, quote)),
        ]
        if self._tick % _TICKS_A_BAR == 0:
            bar = StoredBar(ts // MINUTE * MINUTE, price, price, price, price, _TICKS_A_BAR)
            whole = derive.combined(bar.close_ts - MINUTE, [bar])
            made.append(Message(channels.BARS, "b", SYMBOL, partial(view.bar, whole)))
        return made
