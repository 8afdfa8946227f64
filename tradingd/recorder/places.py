"""Who has a stream and who waits for one; hears what the streams tell."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthFeed, DepthGap
from tradingd.kits.failure import ExitCode, Failure
from tradingd.recorder import alerts
from tradingd.recorder.capture import Capture
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.session import Session
from tradingd.recorder.settings import settings_of
from tradingd.recorder.slots import Place, Slots
from tradingd.recorder.stream import Owner, Stream
from tradingd.recorder.watch import BookWatch

_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.\-]{0,14}")


class Places(Owner):
    """The symbols that are recorded, and the line behind them.

    Parameters
    ----------
    config : RecordConfig
    feed : DepthFeed
    keeper : Keeper
    session : Session
        Has the captures of the streams.
    wall : callable
        Wall time, UTC ns.
    emit : callable
        Takes alerts.
    spawn : callable
        Runs a coroutine beside everything else, or closes it when the recorder stops.
    """

    def __init__(
        self,
        config: RecordConfig,
        feed: DepthFeed,
        keeper: Keeper,
        session: Session,
        *,
        wall: Callable[[], int],
        emit: Callable[[Alert], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._settings = settings_of(config)
        self._feed = feed
        self._keeper = keeper
        self._session = session
        self._wall = wall
        self._emit = emit
        self._spawn = spawn
        self.rows = keeper.rows
        self.slots = Slots(config.max_streams)
        self.streams: dict[str, Stream] = {}
        self.refusals: dict[str, Failure] = {}
        """Why symbols that were asked for have no stream."""
        self.idle = asyncio.Event()
        """Set once nothing is recorded any more."""
        self.unfit_books = 0
        self._watches: dict[str, BookWatch] = {}
        self._asked: dict[str, float] = {}
        self._over_events = self._over_late = 0

    @property
    def events(self) -> int:
        """Records of all symbols since the start."""
        return self._over_events + sum(one.events for one in self.streams.values())

    @property
    def late(self) -> int:
        """Records that came after the row they belong to."""
        return self._over_late + sum(one.late for one in self.streams.values())

    # -- places ----------------------------------------------------------------------------------

    async def begin(self, symbols: tuple[str, ...]) -> None:
        """Place the first symbols, and wait until those that have a stream are subscribed."""
        for symbol in symbols:
            self._place(symbol)
        await asyncio.gather(*(self._begin(symbol) for symbol in self.slots.held))

    def ask(self, symbol: str) -> Place:
        """Record a symbol as soon as there is a stream for it.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL: not a symbol at all.
        """
        before = self.slots.place(symbol)
        place = self._place(symbol)
        if before is None and place is Place.RECORDING:
            self._spawn(self._begin(symbol))
        return place

    async def release(self, symbol: str) -> None:
        """Stop recording a symbol, or take it out of the line; the first in line has its place."""
        stream = self.streams.pop(symbol, None)
        if stream is not None:
            self._close(stream)
            await self._feed.unsubscribe(symbol)
        self._leave(symbol)

    def refused(self, stream: Stream, gap: DepthGap) -> None:
        """Take the place of a symbol whose book the vendor does not tell."""
        del self.streams[gap.symbol]
        self._close(stream)
        self._refuse(gap.symbol, _by_the_vendor(gap))

    def close(self) -> None:
        """End every capture where it is."""
        for symbol in tuple(self.streams):
            self._close(self.streams.pop(symbol))

    def _place(self, symbol: str) -> Place:
        if not _SYMBOL.fullmatch(symbol):
            raise Failure(
                f"{symbol!r} is not a symbol",
                code=ExitCode.UNKNOWN_SYMBOL,
                expected="capital letters and digits, such as AAPL or BRK.B",
                found=repr(symbol),
            )
        self.idle.clear()
        self._asked.setdefault(symbol, asyncio.get_running_loop().time())
        return self.slots.ask(symbol)

    async def _begin(self, symbol: str) -> None:
        """Give a symbol its stream; one that is refused makes way for the next."""
        waited = asyncio.get_running_loop().time() - self._asked[symbol]
        starts = None if self._feed.replayed else self._wall()
        stream = Stream(symbol, self._settings, self, queued=waited, starts=starts)
        self.streams[symbol] = stream
        self.refusals.pop(symbol, None)
        try:
            await self._feed.subscribe(symbol)
        except Failure as failure:
            if self.streams.get(symbol) is stream:
                del self.streams[symbol]
                self._refuse(symbol, failure)
            return
        if self.streams.get(symbol) is not stream and self.slots.place(symbol) is None:
            await self._feed.unsubscribe(symbol)

    async def _make_way(self, symbol: str) -> None:
        await self._feed.unsubscribe(symbol)
        self._leave(symbol)

    def _refuse(self, symbol: str, failure: Failure) -> None:
        self.refusals[symbol] = failure
        self._emit(alerts.refused(symbol, failure.line()))
        self._leave(symbol)

    def _leave(self, symbol: str) -> None:
        self._asked.pop(symbol, None)
        upgraded = self.slots.leave(symbol)
        if upgraded is not None:
            self._spawn(self._begin(upgraded))
        elif not self.slots.held:
            self.idle.set()

    def _close(self, stream: Stream) -> None:
        """End a stream's capture where it is."""
        stream.finished = True
        self._over_events += stream.events
        self._over_late += stream.late
        self.ended(stream, stream.ended_at())

    # -- what streams tell -----------------------------------------------------------------------

    def begun(self, stream: Stream, ts: int, day_ends: int) -> Capture:
        """Return the handle of a new capture."""
        return self._session.begun(stream, ts)

    def ended(self, stream: Stream, ts: int) -> None:
        """Publish a capture that is complete."""
        self._session.ended(stream, ts)

    def over(self, stream: Stream) -> None:
        """Free the place of a symbol whose duration is over."""
        self.streams.pop(stream.symbol, None)
        self._close(stream)
        self._spawn(self._make_way(stream.symbol))

    def crowded(self) -> None:
        """Write the fullest symbol first."""
        fullest = max(self.streams.values(), key=lambda one: one.waiting, default=None)
        if fullest is not None:
            self._keeper.hand_over(fullest)

    def lost(self, stream: Stream) -> None:
        """Count a snapshot that found no room."""
        self._keeper.lost(stream)

    def unfit(self, stream: Stream, failure: Failure) -> None:
        """Count a book that the columns cannot hold."""
        self.unfit_books += 1
        self._emit(alerts.unfit(stream.symbol, failure))

    def judged(self, stream: Stream, quality: int, ts: int) -> None:
        """Say so when something is wrong with a book for long."""
        said = self._watches.setdefault(stream.symbol, BookWatch()).row(quality, ts)
        if said is not None:
            bad, good = alerts.bad_book, alerts.good_book
            self._emit(bad(stream.symbol, said) if said else good(stream.symbol))


def _by_the_vendor(gap: DepthGap) -> Failure:
    return Failure(
        f"the vendor does not tell the book of {gap.symbol}",
        code=ExitCode.FEED,
        where=gap.symbol,
        found=gap.detail,
    )
