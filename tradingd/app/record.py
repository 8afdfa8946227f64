"""Compose a recording: the configured depth feed, the recorder, signals, a screen."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from tradingd.app.depth_feeds import make_depth_feed
from tradingd.config.paths import level2_root
from tradingd.config.record import RecordConfig
from tradingd.config.system import SystemConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthFeed
from tradingd.kits.failure import ExitCode, Failure
from tradingd.recorder.recorder import Recorder
from tradingd.recorder.statistics import CaptureStats
from tradingd.recorder.view import RecorderView

type Show = Callable[[RecorderView], None]

_FRAMES: Final = 0.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording brought; `exit_code` is that of the first symbol that was refused."""

    exit_code: int
    label: str
    root: str
    ended_by: str
    captures: tuple[CaptureStats, ...]
    recovered: tuple[CaptureStats, ...]
    damaged: tuple[str, ...]
    refused: dict[str, str]
    events: int
    rows: int
    messages: int
    late: int
    dropped: int
    seconds: float


def record(
    config: SystemConfig,
    *,
    symbols: Sequence[str] = (),
    minutes: int | None = None,
    emit: Callable[[Alert], None] | None = None,
    show: Show | None = None,
) -> Recorded:
    """Record until the feed ends, every duration is over, or SIGINT or SIGTERM.

    Parameters
    ----------
    config : SystemConfig
        Groups `depth`, `record` and `store`.
    symbols, minutes
        In place of `record.symbols` and `record.minutes`. Without any symbols a replay is recorded
        with all that it has.
    emit : callable, optional
        Takes alerts.
    show : callable, optional
        Takes the recorder's view twice a second.

    Raises
    ------
    Failure
        CONFIG without a source or symbols; FEED when that fails; UNKNOWN_SYMBOL or FEED when every
        symbol was refused; STORE_WRITE when the disk did not take the rest.
    """
    wanted = config.record
    if symbols:
        wanted = msgspec.structs.replace(wanted, symbols=tuple(dict.fromkeys(symbols)))
    if minutes is not None:
        wanted = msgspec.structs.replace(wanted, minutes=minutes)
    feed = make_depth_feed(config.depth)
    if not wanted.symbols and not feed.replayed:
        raise _no_symbols()
    root = level2_root(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_recorded(wanted, feed, root, emit, show))


async def _recorded(
    config: RecordConfig,
    feed: DepthFeed,
    root: Path,
    emit: Callable[[Alert], None] | None,
    show: Show | None,
) -> Recorded:
    began = time.monotonic()
    recorder = Recorder(config, feed, root, wall=time.time_ns, emit=emit)
    await recorder.start()
    view = recorder.view()
    try:
        if not config.symbols:
            for symbol in sorted(feed.symbols() or ()):
                recorder.ask(symbol)
        await _until_told(recorder, show)
    finally:
        view = recorder.view()
        await recorder.stop()
    captures = recorder.captures
    if recorder.refusals and not captures:
        raise next(iter(recorder.refusals.values()))
    refusal = next(iter(recorder.refusals.values()), None)
    return Recorded(
        exit_code=refusal.code if refusal else ExitCode.OK,
        label=view.label,
        root=str(root),
        ended_by=recorder.ended_by,
        captures=captures,
        recovered=recorder.recovered.captures,
        damaged=tuple(str(one) for one in recorder.recovered.damaged),
        refused=view.refused,
        events=sum(one.events for one in captures),
        rows=sum(one.rows for one in captures),
        messages=sum(one.messages for one in captures),
        late=view.late,
        dropped=sum(one.dropped for one in captures),
        seconds=round(time.monotonic() - began, 3),
    )


async def _until_told(recorder: Recorder, show: Show | None) -> None:
    """Record until it ends by itself, or the first signal; the second is Python's own again."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for one in _SIGNALS:
        loop.add_signal_handler(one, stop.set)
    running = asyncio.create_task(recorder.run(), name="record")
    told = asyncio.create_task(stop.wait(), name="signals")
    screen = asyncio.create_task(_show(recorder, show), name="screen") if show else None
    try:
        await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await recorder.stop()
        await running
    finally:
        for one in _SIGNALS:
            loop.remove_signal_handler(one)
        told.cancel()
        if screen is not None:
            screen.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await screen


async def _show(recorder: Recorder, show: Show) -> None:
    while True:
        show(recorder.view())
        await asyncio.sleep(_FRAMES)


def _no_symbols() -> Failure:
    return Failure(
        "nothing to record",
        code=ExitCode.CONFIG,
        where="record.symbols",
        expected="at least one symbol",
        found="none",
        next_step="tradingd record depth ... --symbols AAPL MSFT",
    )
