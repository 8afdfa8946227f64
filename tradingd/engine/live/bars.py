"""The feed's bars as the engine's, and the count that tells when strategies have seen them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from nautilus_trader.model import Bar, BarType

from tradingd.domain.feed import Batch, MarketBar
from tradingd.engine.units import price, shares
from tradingd.kits.failure import ExitCode, Failure

_CALLS: Final = 100
"""Handler calls between two turns of the loop: 5 to 20 us each, 0.3 ms where one sends an order."""


type Reader = Callable[[Bar, str], None]
"""Takes a bar and its symbol; never raises."""


class Lane:
    """Who reads one symbol's bars, and how many subscribers the bar in hand has reached."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.readers: list[Reader] = []
        self.arrived = 0


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
        self._lanes: dict[BarType, Lane] = {}
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    def reads(self, symbols: Iterable[str], reader: Reader) -> None:
        """Show the bars of these symbols to one more reader, after those before it."""
        for symbol in symbols:
            lane = self._lanes.setdefault(self._bar_types[symbol], Lane(symbol))
            lane.readers.append(reader)

    def arrive(self, bar: Bar) -> None:
        """Take a bar on behalf of one subscriber; the last one shows it to all readers.

        The engine calls subscribers in an order that differs between processes; readers have one.
        """
        lane = self._lanes[bar.bar_type]
        lane.arrived += 1
        if lane.arrived < len(lane.readers):
            return
        lane.arrived = 0
        for reader in lane.readers:
            reader(bar, lane.symbol)
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
        for piece in self._pieces(batch.bars):
            self._left = len(piece)
            self._done = asyncio.get_running_loop().create_future()
            for bar in piece:
                self.publish(self._engine_bar(bar, batch.ts))
            await asyncio.wait((self._done, engine), return_when=asyncio.FIRST_COMPLETED)
            if not self._done.done():
                raise engine_ended(engine)

    def _pieces(self, bars: Sequence[MarketBar]) -> Iterator[list[MarketBar]]:
        piece: list[MarketBar] = []
        calls = 0
        for bar in bars:
            kind = self._bar_types.get(bar.symbol)
            lane = None if kind is None else self._lanes.get(kind)
            if lane is None:
                continue
            piece.append(bar)
            calls += len(lane.readers)
            if calls >= _CALLS:
                yield piece
                piece, calls = [], 0
        if piece:
            yield piece

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
