"""Do one thing in bounded time and say what went wrong, whatever that is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tradingd.kits.failure import Failure

_AFTERWARDS: Final = 1.0
"""Seconds that work which was cancelled may take to tidy up."""


async def trouble_of(run: Callable[[], Awaitable[object]], seconds: float) -> str:
    """Run something; return what went wrong, empty when nothing did.

    Text that it returns is a trouble too. Work that does not heed its cancellation is left behind
    and not waited for.
    """
    work = asyncio.ensure_future(run())
    try:
        done, _ = await asyncio.wait([work], timeout=seconds)
    except asyncio.CancelledError:
        work.cancel()
        raise
    if not done:
        work.cancel()
        await asyncio.wait([work], timeout=min(_AFTERWARDS, seconds))
        if work.done() and not work.cancelled():
            work.exception()
        return f"not done within {seconds:g} s"
    if work.cancelled():
        return "was cancelled"
    if (error := work.exception()) is not None:
        return error.line() if isinstance(error, Failure) else repr(error)
    result = work.result()
    return result if isinstance(result, str) else ""
