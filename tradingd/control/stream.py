"""Send events as newline-delimited JSON; a reader that does not read is let go."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from tradingd.control.answers import Event

CAUGHT_UP = 0.2
"""Seconds of silence after which a stream that does not follow ends."""

HEARTBEAT = 15.0
"""Seconds of silence after which an empty line tells that the daemon is alive."""


async def send(
    request: web.BaseRequest, events: AsyncIterator[Event], *, follow: bool, drain: float
) -> web.StreamResponse:
    """Write events until the reader goes, or, without `follow`, until it has caught up.

    Raises
    ------
    TimeoutError
        When the reader took nothing for `drain` seconds.
    """
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    waiting: asyncio.Future[Event] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(events))
            ready, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT if follow else CAUGHT_UP)
            if ready:
                try:
                    line = msgspec.json.encode(waiting.result()) + b"\n"
                except StopAsyncIteration:
                    break
                waiting = None
            elif follow:
                line = b"\n"
            else:
                break
            async with asyncio.timeout(drain):
                await response.write(line)
        await response.write_eof()
    except ConnectionError:
        # The reader went; nobody waits for an answer.
        response.force_close()
    finally:
        await _stop(waiting)
    return response


async def _stop(waiting: asyncio.Future[Event] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.cancel()
        await asyncio.wait({waiting})
