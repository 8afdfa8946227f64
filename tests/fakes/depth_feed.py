"""A depth feed that a test drives by hand, and the records it tells."""

import asyncio
from collections.abc import Callable, Iterable

from tradingd.domain.depth import Action, BookSide, DepthEvent, DepthGap, DepthListener, Ladder
from tradingd.domain.money import CENT
from tradingd.kits.failure import ExitCode, Failure

SECOND = 1_000_000_000


def ladder(bid: int | None, ask: int | None, *, size: int = 100, levels: int = 10) -> Ladder:
    """A book with a cent between its levels; prices in cents, None: a side without orders."""
    cells: list[int | None] = []
    for level in range(levels):
        cells += [
            None if bid is None else (bid - level) * CENT,
            None if ask is None else (ask + level) * CENT,
            0 if bid is None else size + level,
            0 if ask is None else size + level,
            0 if bid is None else 1,
            0 if ask is None else 1,
        ]
    return tuple(cells)


def record(
    symbol: str,
    ts: int,
    book: Ladder,
    *,
    closes: bool = True,
    suspect: bool = False,
    sequence: int = 0,
    action: Action = "A",
    side: BookSide = "B",
    price: int | None = 10 * CENT,
    asked: Callable[[], None] = lambda: None,
) -> DepthEvent:
    """One record; `asked` hears of every look at its book."""

    def show(levels: int) -> Ladder:
        asked()
        return book[: 6 * levels]

    return DepthEvent(
        symbol, ts - 1_000, ts, sequence, action, side, 0, price, 100, closes, suspect, show
    )


class HandFeed:
    """Tells what the test hands it; `replayed` says whose time rules."""

    source = "hand"
    label = "a test's own feed"
    levels = 10

    def __init__(
        self,
        *,
        replayed: bool = True,
        unknown: Iterable[str] = (),
        capacity: int = 1_000,
        fails: Failure | None = None,
    ) -> None:
        self.replayed = replayed
        self.subscribed: list[str] = []
        self.history: list[str] = []
        self.dropped = 0
        self._unknown = frozenset(unknown)
        self._capacity = capacity
        self._fails = fails
        self._over = asyncio.Event()
        self.listener: DepthListener

    def symbols(self) -> frozenset[str] | None:
        return None

    def listen(self, listener: DepthListener) -> None:
        self.listener = listener

    async def open(self) -> None:
        """Nothing to connect to."""

    async def subscribe(self, symbol: str) -> None:
        await asyncio.sleep(0)
        self.history.append(f"+{symbol}")
        if symbol in self._unknown:
            raise Failure(f"no {symbol}", code=ExitCode.UNKNOWN_SYMBOL)
        if len(self.subscribed) >= self._capacity:
            raise Failure("no more streams", code=ExitCode.FEED)
        self.subscribed.append(symbol)

    async def unsubscribe(self, symbol: str) -> None:
        self.history.append(f"-{symbol}")
        if symbol in self.subscribed:
            self.subscribed.remove(symbol)

    async def run(self) -> None:
        await self._over.wait()
        if self._fails is not None:
            raise self._fails

    async def close(self) -> None:
        self._over.set()

    # -- what a test says ------------------------------------------------------------------------

    def end(self) -> None:
        """Come to the end of what there is to tell."""
        self._over.set()

    def tell(self, *told: DepthEvent | DepthGap) -> None:
        for one in told:
            if isinstance(one, DepthGap):
                self.listener.gap(one)
            else:
                self.listener.event(one)
