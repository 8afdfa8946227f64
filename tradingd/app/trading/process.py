"""The process around a session: loop, signals, logging, exit code."""

import asyncio
import contextlib
import logging
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import uvloop

from tradingd.app.trading import parts
from tradingd.app.trading.session import TradingSession
from tradingd.app.trading.views import account_state, money
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import listens
from tradingd.config.instance import instance_file
from tradingd.config.load import Loaded, load
from tradingd.config.paths import state_root
from tradingd.config.session_rules import demand_session
from tradingd.control.answers import Event, PositionView, Status
from tradingd.daemon.lock import INSTANCE, AccountLock
from tradingd.daemon.stacks import dump_on_quit
from tradingd.daemon.summary import Summary, summary_line
from tradingd.domain.broker import BrokerUnavailable
from tradingd.kits.notify_socket import notifier
from tradingd.telemetry.logs import Logging, configure

log = logging.getLogger(__name__)

type Show = Callable[[Status, Sequence[PositionView], Sequence[Event]], None]

_FRAMES = 0.25


def serve(
    overrides: Sequence[str],
    overlay: Path | None,
    instance: str,
    *,
    fresh: bool = False,
    show: Show | None = None,
) -> dict[str, Any]:
    """Trade until the end; return how it ended, as `tradingd run` reports it.

    Raises
    ------
    Failure
        When it does not start, naming the step.
    """

    def load_again() -> Loaded:
        # Without a file an instance is what the packaged tree says: paper, on the simulated broker.
        named = instance if instance_file(instance, overlay) else None
        return load(overrides, overlay=overlay, instance=named)

    loaded = load_again()
    parts.session_mode(loaded.config)
    demand_session(loaded.config)
    state = state_root(instance)
    if fresh:
        set_aside(state, instance)
    dump_on_quit()
    telemetry = loaded.config.telemetry
    logs = configure(
        instance,
        "",
        "WARNING" if show is not None else telemetry.log_level,
        telemetry.log_folder or None,
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_live(loaded, load_again, instance, state, logs, show))
    finally:
        logs.close()


async def _live(
    loaded: Loaded,
    load_again: Callable[[], Loaded],
    instance: str,
    state: Path,
    logs: Logging,
    show: Show | None,
) -> dict[str, Any]:
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    logs.watch(loop)
    session = TradingSession(
        loaded,
        load_again=load_again,
        instance=instance,
        state=state,
        notifier=notifier(),
        logs=logs,
    )
    starting = asyncio.create_task(session.up.start(), name="start")
    _listen_to_signals(loop, session, starting)
    try:
        await starting
    except asyncio.CancelledError:
        return _called_off(session, time.monotonic() - began)
    screen = asyncio.create_task(_show(session, show), name="screen")
    try:
        await session.run()
    finally:
        report = await session.down.stop()
        screen.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await screen
    seconds = time.monotonic() - began
    _say(summary_line(_summary(session, report.troubles, seconds)))
    return {**_facts(session), "exit_code": int(session.code), "seconds": seconds}


def _called_off(session: TradingSession, seconds: float) -> dict[str, Any]:
    """Return how a start ended that somebody called off; everything has been taken back."""
    session.why = f"{session.why} during the start"
    if session.phase == "WARMING_UP":
        _say(summary_line(_summary(session, (), seconds)))
        facts = _facts(session)
    else:
        _say(f'SUMMARY instance={session.instance} why="{session.why}" exit=0 (OK) traded=nothing')
        facts = {**_NOTHING, "instance": session.instance, "why": session.why}
    return {**facts, "exit_code": int(session.code), "seconds": seconds}


def _say(line: str) -> None:
    log.info("%s", line, extra={"fields": {"event": "summary"}})


def _listen_to_signals(
    loop: asyncio.AbstractEventLoop, session: TradingSession, starting: asyncio.Task[None]
) -> None:
    """SIGTERM and SIGINT begin the orderly stop; during the start they call it off."""

    def asked(name: str) -> None:
        again = session.stopping.is_set()
        session.ask_to_stop(name)
        # Once: a second signal must not cut short what takes the start back.
        if not starting.done() and not again:
            starting.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, signal.Signals(number).name)
    # A terminal that closes must not kill what holds positions.
    loop.add_signal_handler(signal.SIGHUP, lambda: log.warning("SIGHUP is ignored"))


async def _show(session: TradingSession, show: Show | None) -> None:
    while show is not None:
        show(session.board.status(), session.board.positions(), session.events.latest(200))
        await asyncio.sleep(_FRAMES)


_NOTHING: Final[dict[str, Any]] = {
    **dict.fromkeys(("run_id", "feed", "pnl", "equity", "state", "journal"), ""),
    **dict.fromkeys(("batches", "fills", "denied", "positions", "open_orders"), 0),
    "synthetic": False,
}
"""The report of a start that was called off before there was anything to report."""


def _facts(session: TradingSession) -> dict[str, Any]:
    """Return the report of a session that has stopped."""
    book = session.book
    return {
        "instance": session.instance,
        "run_id": session.identity.run_id,
        "why": session.why or "stopped",
        "feed": session.feed.label,
        "synthetic": session.feed.synthetic,
        "batches": session.pump.batches,
        "fills": session.teller.fills,
        "denied": session.teller.denied,
        "pnl": money(book.equity - session.opening_equity),
        "equity": money(book.equity),
        "positions": len(book.positions()),
        "open_orders": len(session.shim.open_orders()),
        "state": account_state(session.states.snapshot()),
        "journal": str(session.journal.path),
    }


def _summary(session: TradingSession, troubles: tuple[str, ...], seconds: float) -> Summary:
    book = session.book
    return Summary(
        instance=session.instance,
        mode=session.identity.mode,
        why=session.why or "stopped",
        code=session.code,
        seconds=seconds,
        equity=book.equity,
        day_pnl=book.equity - book.session_start_equity,
        run_pnl=book.equity - session.opening_equity,
        positions=tuple(
            f"{symbol} {line.quantity:+d}" for symbol, line in sorted(book.positions().items())
        ),
        open_orders=tuple(row.order_id for row in session.shim.open_orders()),
        fills=session.teller.fills,
        label="SYNTHETIC" if session.feed.synthetic else session.feed.label,
        troubles=troubles,
    )


def set_aside(state: Path, instance: str) -> None:
    """Put the state of earlier sessions aside, so that the next one begins anew.

    Nothing is deleted: the folder is renamed with the time. A simulated broker that still runs on
    it is ended first.

    Raises
    ------
    Failure
        SECOND_INSTANCE when a daemon of this instance runs.
    """
    if not state.is_dir() or not any(state.iterdir()):
        return
    lock = AccountLock(state, broker=INSTANCE, account=instance, instance=instance)
    lock.acquire()
    try:
        asyncio.run(_end_broker(state / "simbroker.sock"))
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        shutil.move(state, state.with_name(f"{state.name}.before-{stamp}"))
    finally:
        lock.release()


async def _end_broker(socket: Path) -> None:
    if not await listens(socket):
        return
    broker = SimulatedBroker(socket, timeout=5.0)
    await broker.connect()
    with contextlib.suppress(BrokerUnavailable):
        await broker.shut_down()
    await broker.close()
