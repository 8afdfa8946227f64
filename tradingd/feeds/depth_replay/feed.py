"""A replay of stored books: data time rules, nothing is ever dropped."""

import asyncio
import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tradingd.config.depth import ReplayDepth
from tradingd.domain.depth import DepthEvent, DepthListener, Patient
from tradingd.domain.market import NANOSECONDS
from tradingd.feeds.depth_replay.book_events import BookEvents
from tradingd.feeds.depth_replay.dbn_events import DbnEvents
from tradingd.feeds.depth_replay.source import EventSource, Told, time_of
from tradingd.feeds.pace import Pace
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import local_date

_TURN: Final = 0.002
"""Seconds of telling after which the loop gets its turn."""

_STEP: Final = NANOSECONDS
"""Longest stretch of silent data time that passes at once."""

_NEXT_LOOK: Final = 32
"""Records between two looks at the clock."""


class ReplayDepthFeed:
    """Tells files of books in the order their records were received.

    Parameters
    ----------
    config : ReplayDepth
        `path` names a file, or a folder of files of one New York day.
    """

    source = "replay"
    replayed = True

    def __init__(self, config: ReplayDepth) -> None:
        self._config = config
        self._path = Path(config.path).expanduser()
        self._pace = Pace(config.speed, config.longest_wait)
        self._wanted: set[str] = set()
        self._sources: list[EventSource] = []
        self._listener: DepthListener | None = None
        self._asked = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def label(self) -> str:
        """What a person must see beside every number."""
        return f"replay of {self._path.name}"

    @property
    def levels(self) -> int:
        """Levels a side, after `open`."""
        return max((one.levels for one in self._sources), default=10)

    def symbols(self) -> frozenset[str] | None:
        """Return the symbols of the files; None before `open`."""
        if not self._sources:
            return None
        return frozenset().union(*(one.symbols for one in self._sources))

    def listen(self, listener: DepthListener) -> None:
        """Name who hears."""
        self._listener = listener

    async def open(self) -> None:
        """Read what describes the files.

        Raises
        ------
        Failure
            UNREADABLE_INPUT for a path that leads nowhere or holds several days.
        """
        self._sources = await asyncio.to_thread(_opened, self._path)

    async def subscribe(self, symbol: str) -> None:
        """Tell one symbol from now on.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL, with those that are there.
        """
        known = self.symbols() or frozenset()
        close = nearest(symbol, known)
        if symbol not in known:
            raise Failure(
                f"the files have no books of {symbol}",
                code=ExitCode.UNKNOWN_SYMBOL,
                where=str(self._path),
                expected=f"one of {', '.join(sorted(known)[:10])}",
                found=symbol,
                next_step=f"did you mean {close}?" if close else "",
            )
        self._wanted.add(symbol)
        self._asked.set()

    async def unsubscribe(self, symbol: str) -> None:
        """Stop telling it."""
        self._wanted.discard(symbol)

    async def run(self) -> None:
        """Tell until the end of the files, or `close`; says at the end that all was told.

        The replay begins when the first symbol is asked for.
        """
        listener = self._listener
        if listener is None:
            raise RuntimeError("listen before run")
        await self._asked.wait()
        loop = asyncio.get_running_loop()
        turn = loop.time() + _TURN
        at = 0
        paced = 0
        for count, told in enumerate(_merged(self._sources)):
            ts = time_of(told)
            if not paced:
                paced = ts
            elif ts - at > _STEP or self._pace.wait(ts - paced) > _TURN:
                await self._pass(listener, at, paced, ts)
                turn, paced = loop.time() + _TURN, ts
            elif count % _NEXT_LOOK == 0 and loop.time() > turn:
                await self._yield(listener)
                turn = loop.time() + _TURN
            if self._closed.is_set():
                return
            if told.symbol not in self._wanted:
                pass
            elif isinstance(told, DepthEvent):
                listener.event(told)
            else:
                listener.gap(told)
            at = ts
        if at:
            listener.reached(at)

    async def close(self) -> None:
        """Stop telling."""
        self._closed.set()
        self._asked.set()

    async def _pass(self, listener: DepthListener, at: int, paced: int, ts: int) -> None:
        """Let the time up to the next record pass, as fast as the pace says, in small steps."""
        loop = asyncio.get_running_loop()
        wait = self._pace.wait(ts - paced)
        steps = max(1, -(-(ts - at) // _STEP))
        begun = loop.time()
        for step in range(1, steps + 1):
            if self._closed.is_set():
                return
            due = begun + wait * step / steps
            if due - loop.time() > 0 or step % _NEXT_LOOK == 0:
                await self._yield(listener, due - loop.time())
            if step < steps:
                listener.reached(at + step * _STEP)

    async def _yield(self, listener: DepthListener, seconds: float = 0.0) -> None:
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._closed.wait()
            except TimeoutError:
                pass
        else:
            await asyncio.sleep(0)
        if isinstance(listener, Patient):
            await listener.room()


def _merged(sources: list[EventSource]) -> Iterator[Told]:
    if len(sources) == 1:
        return sources[0].tell()
    return heapq.merge(*(one.tell() for one in sources), key=time_of)


def _opened(path: Path) -> list[EventSource]:
    sources = [_source(one) for one in _files(path)]
    for one in sources:
        one.open()
    _refuse_overlaps(sources)
    begun = [one for one in sources if one.first_ts is not None]
    days = {local_date(one.first_ts) for one in begun if one.first_ts is not None}
    if len(days) > 1:
        raise Failure(
            "a replay is of one day",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected="files of one New York day",
            found=f"{min(days)} to {max(days)}",
            next_step="depth.path=FILE, or a folder with one day",
        )
    return sources


def _refuse_overlaps(sources: list[EventSource]) -> None:
    """Refuse two files that tell one symbol's book at the same time."""
    begun = sorted(
        (one.first_ts, one.last_ts, str(one.path), symbol)
        for one in sources
        if one.first_ts is not None
        for symbol in one.symbols
    )
    last: dict[str, tuple[int, str]] = {}
    for first_ts, last_ts, path, symbol in begun:
        until, before = last.get(symbol, (0, ""))
        if first_ts <= until:
            raise Failure(
                f"two files have books of {symbol} of the same time",
                code=ExitCode.UNREADABLE_INPUT,
                where=path,
                expected="each book once",
                found=f"also in {before}",
                next_step="depth.path=FILE, or take one of them out of the folder",
            )
        last[symbol] = (max(until, last_ts), path)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(one for one in path.rglob("*") if one.is_file() and _is_book(one))
    if found:
        return found
    raise Failure(
        "there are no books to replay",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected="a DBN or snapshot file, or a folder of them",
        found="a folder without one" if path.is_dir() else "nothing",
        next_step="depth.path=FILE",
    )


def _is_book(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts[-3:])
    return not hidden and (_is_dbn(path) or "_snapshots_" in path.name)


def _is_dbn(path: Path) -> bool:
    return path.name.endswith((".dbn", ".dbn.zst"))


def _source(path: Path) -> EventSource:
    return DbnEvents(path) if _is_dbn(path) else BookEvents(path)
