"""The last step of a start: everything is watched, and has been seen to make progress."""

import asyncio
from typing import TYPE_CHECKING

from tradingd.daemon.checks.broker import BrokerCheck
from tradingd.domain.health import Grade
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


async def supervise(session: "TradingSession") -> None:
    """Start what watches; return when all that must make progress was seen to make it.

    Raises
    ------
    Failure
        ENGINE_FAILED, naming what stands still.
    """
    session.silence.heard()
    session.lag.forget()
    session.kill_switch.go_on(session.states.snapshot())
    session.kill_switch.look()
    session.tasks.spawn("broker ping", session.pinger.run())
    session.tasks.spawn("loop lag", session.lag.run())
    if session.drift is not None:
        session.tasks.spawn("broker clock", session.drift.run())
    await _progress_seen(session)
    session.tasks.spawn("heartbeat", session.heartbeat.run())
    session.tasks.spawn("reconcile", session.watch.compare_often())


async def _progress_seen(session: "TradingSession") -> None:
    """Wait until everything that must make progress has been seen to make it.

    READY is a promise: strategy timers fire, the journal commits, the broker answers. What a
    person must decide (a mismatch with the broker) does not hold it up: the account is halted
    then, and somebody must be able to say so.
    """
    loop = asyncio.get_running_loop()
    limits = session.config.supervision
    # Twice the longest time after which standing still is a failure: 20 s by default.
    deadline = loop.time() + 2 * max(
        limits.strategy_stall_seconds,
        limits.journal_stall_seconds,
        limits.ping_every_seconds + limits.ping_seconds,
    )
    while True:
        await session.journal.write()
        session.health.evaluate()
        missing = [
            one
            for one in session.health.readings()
            if one.grade is Grade.FAILED and (one.beats or one.name == BrokerCheck.name)
        ]
        if not missing:
            return
        if loop.time() > deadline:
            raise Failure(
                f"{missing[0].name} makes no progress",
                code=ExitCode.ENGINE_FAILED,
                where=missing[0].name,
                expected=missing[0].limit,
                found=missing[0].value,
                next_step=missing[0].next_step,
            )
        await asyncio.sleep(0.05)
