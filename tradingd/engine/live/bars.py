"""The feed's bars as the engine's, and the count that tells when strategies have seen them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from nautilus_trader.model import Bar, BarType

from tradingd.domain.feed import Batch, MarketBar
from tradingd.engine.units import price, shares
from tradingd.kits.failure import ExitCode, Failure

_CALLS: Final = 400
"""Handler calls between two turns of the loop; at 5 to 20 us each a turn stays short."""


class Delivery:
    """Publishes batches to the engine and knows when every handler has run.

    Parameters
    ----------
    bar_types : Mapping[str, BarType]
        The engine's bar type of every symbol.
    """

    def __init__(self, bar_types: Mapping[str, BarType]) -> None:
        self.publish: Callable[[Bar], None]
        self._bar_types = bar_types
        self._readers: dict[str, int] = {}
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    def reads(self, symbols: Sequence[str]) -> None:
        """Count one more handler for the bars of these symbols."""
        for symbol in symbols:
            self._readers[symbol] = self._readers.get(symbol, 0) + 1

    def seen(self, _bar: Any = None) -> None:
        """Note that one handler is done with one bar."""
        self._left -= 1
        if not self._left and self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def run(self, batch: Batch, engine: asyncio.Task[None]) -> None:
        """Publish a batch piece by piece; return when every handler is done with all of it.

        Raises
        ------
        Failure
            ENGINE_FAILED when the engine ends meanwhile.
        """
        for piece, calls in self._pieces(batch.bars):
            self._left = calls
            self._done = asyncio.get_running_loop().create_future()
            for bar in piece:
                self.publish(self._engine_bar(bar, batch.ts))
            await asyncio.wait((self._done, engine), return_when=asyncio.FIRST_COMPLETED)
            if not self._done.done():
                raise engine_ended(engine)

    def _pieces(self, bars: Sequence[MarketBar]) -> Iterator[tuple[list[MarketBar], int]]:
        piece: list[MarketBar] = []
        calls = 0
        for bar in bars:
            readers = self._readers.get(bar.symbol, 0)
            if not readers:
                continue
            piece.append(bar)
            calls += readers
            if calls >= _CALLS:
                yield piece, calls
                piece, calls = [], 0
        if piece:
            yield piece, calls

    def _engine_bar(self, bar: MarketBar, ts: int) -> Bar:
        return Bar(
            self._bar_types[bar.symbol],
            price(bar.open),
            price(bar.high),
            price(bar.low),
            price(bar.close),
            shares(bar.volume),
            ts,
            ts,
        )


def engine_ended(engine: asyncio.Task[None]) -> Failure:
    """Return the refusal of work after the engine's end, chained to what ended it."""
    cause = None if engine.cancelled() else engine.exception()
    failure = Failure(
        "the engine has ended",
        code=ExitCode.ENGINE_FAILED,
        found=str(cause) if cause else "it was stopped",
        next_step="read the log before this; the daemon restarts and reconciles",
    )
    failure.__cause__ = cause
    return failure
