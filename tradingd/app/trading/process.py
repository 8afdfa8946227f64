"""The process around a session: loop, signals, logging, exit code."""

import asyncio
import contextlib
import logging
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvloop

from tradingd.app.trading import parts
from tradingd.app.trading.session import TradingSession
from tradingd.app.trading.views import money
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import listens
from tradingd.config.instance import instance_file
from tradingd.config.load import Loaded, load
from tradingd.config.paths import state_root
from tradingd.control.messages import Event, PositionView, Status
from tradingd.daemon.lock import AccountLock
from tradingd.daemon.shutdown import StopReport
from tradingd.daemon.stacks import dump_on_quit
from tradingd.daemon.summary import Summary, summary_line
from tradingd.domain.broker import BrokerUnavailable
from tradingd.kits.failure import ExitCode, Failure
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
    starting = asyncio.create_task(session.start(), name="start")
    _listen_to_signals(loop, session, starting)
    try:
        await starting
    except asyncio.CancelledError:
        raise Failure(
            "the start was called off", code=ExitCode.INTERRUPTED, found=session.why
        ) from None
    screen = asyncio.create_task(_show(session, show), name="screen")
    try:
        await session.run()
    finally:
        summary = _before_stop(session)
        report = await session.stop()
        screen.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await screen
    line = summary_line(_summary(session, summary, report, time.monotonic() - began))
    log.info("%s", line, extra={"fields": {"event": "summary"}})
    return {**summary, "exit_code": int(session.code), "seconds": time.monotonic() - began}


def _listen_to_signals(
    loop: asyncio.AbstractEventLoop, session: TradingSession, starting: asyncio.Task[None]
) -> None:
    """SIGTERM and SIGINT begin the orderly stop; during the start they call it off."""

    def asked(name: str) -> None:
        session.ask_to_stop(name)
        if not starting.done():
            starting.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, signal.Signals(number).name)
    # A terminal that closes must not kill what holds positions.
    loop.add_signal_handler(signal.SIGHUP, lambda: log.warning("SIGHUP is ignored"))


async def _show(session: TradingSession, show: Show | None) -> None:
    while show is not None:
        show(session.board.status(), session.board.positions(), session.events.latest(200))
        await asyncio.sleep(_FRAMES)


def _before_stop(session: TradingSession) -> dict[str, Any]:
    """Return the facts of the session that are gone when its parts are closed."""
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
        "state": session.board.status().state,
        "journal": str(session.journal.path),
    }


def _summary(
    session: TradingSession, facts: dict[str, Any], report: StopReport, seconds: float
) -> Summary:
    book = session.book
    return Summary(
        instance=session.instance,
        mode=session.identity.mode,
        why=str(facts["why"]),
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
        troubles=report.troubles,
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
    lock = AccountLock(state, broker="instance", account=instance, instance=instance)
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
