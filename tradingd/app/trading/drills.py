"""Freeze one part of a paper session on purpose, to see what the daemon does about it."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tradingd.app.trading.operator import Drill

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


def session_drills(session: "TradingSession") -> Mapping[str, Drill]:
    """Return the drills by part."""

    async def feed(seconds: float) -> None:
        session.feed.freeze(seconds)

    async def strategy(seconds: float) -> None:
        session.engine.freeze(seconds)

    async def journal(seconds: float) -> None:
        session.journal.hold(seconds)

    async def broker(seconds: float) -> None:
        # A broker that takes messages and says nothing: connected, but mute.
        mute = {"ops": list(_ALL), "probabilities": {"drop_request": 1.0}}
        await session.broker.misbehave(mute)
        session.tasks.spawn("end of the drill", _end(seconds), eternal=False)

    async def _end(seconds: float) -> None:
        await asyncio.sleep(seconds)
        await session.broker.misbehave({})

    async def loop(seconds: float) -> None:
        # After the answer has left.
        asyncio.get_running_loop().call_later(0.2, time.sleep, seconds)

    return {
        "feed": feed,
        "strategy": strategy,
        "journal": journal,
        "broker": broker,
        "loop": loop,
    }


_ALL = (
    "account",
    "adjustments",
    "cancel",
    "cancel_all",
    "fills",
    "market",
    "open_orders",
    "order",
    "ping",
    "positions",
    "replace",
    "submit",
)
