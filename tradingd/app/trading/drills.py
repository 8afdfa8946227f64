"""Freeze one part of a paper session on purpose, to see what the daemon does about it."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tradingd.app.trading.facts import Drill
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.feed import Freezable

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


def session_drills(session: "TradingSession") -> Mapping[str, Drill]:
    """Return the drills by part."""

    async def strategy(seconds: float) -> None:
        session.engine.freeze(seconds)

    async def journal(seconds: float) -> None:
        session.journal.hold(seconds)

    async def loop(seconds: float) -> None:
        # After the answer has left.
        asyncio.get_running_loop().call_later(0.2, time.sleep, seconds)

    drills: dict[str, Drill] = {"strategy": strategy, "journal": journal, "loop": loop}
    # A real broker cannot be frozen.
    if isinstance(session.feed, Freezable):
        drills["feed"] = _feed_drill(session.feed)
    if session.simulated is not None:
        drills["broker"] = _broker_drill(session, session.simulated)
    return drills


def _feed_drill(feed: Freezable) -> Drill:
    async def drill(seconds: float) -> None:
        feed.freeze(seconds)

    return drill


def _broker_drill(session: "TradingSession", broker: SimulatedBroker) -> Drill:
    async def drill(seconds: float) -> None:
        # A broker that takes messages and says nothing: connected, but mute.
        mute = {"ops": list(_ALL), "probabilities": {"drop_request": 1.0}}
        await broker.misbehave(mute)
        session.tasks.spawn("end of the drill", end(seconds), eternal=False)

    async def end(seconds: float) -> None:
        await asyncio.sleep(seconds)
        await broker.misbehave({})

    return drill


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
