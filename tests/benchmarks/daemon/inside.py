"""A whole trading session inside this process, so that its loop can be looked at.

It is the daemon's own `TradingSession` with everything around it (control socket, supervision,
journal, a simulated broker in a process of its own); only the strategies are given by the caller,
since the configuration names one.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

import uvloop

from tests.benchmarks.daemon.running import INSTANCE, OPEN
from tradingd.app.trading import joining, parts
from tradingd.app.trading.session import TradingSession
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.engine.strategy import Strategy
from tradingd.kits.notify_socket import Notifier
from tradingd.telemetry.logs import configure

type Parties = Callable[[SystemConfig], Sequence[Strategy]]


@asynccontextmanager
async def started(
    parties: Parties, symbols: Mapping[str, Sequence[str]] | None, *overrides: str
) -> AsyncIterator[TradingSession]:
    """Start a session; the caller pumps it. It is stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        state, output = _prepared(Path(folder))
        read = partial(load, [*OPEN, *overrides])
        logs = configure(INSTANCE, "", "INFO", stream=output, style="json")
        engine = partial(joining.LiveEngine, symbols=symbols)
        try:
            with (
                patch.object(parts, "session_strategies", parties),
                patch.object(joining, "LiveEngine", engine),
            ):
                session = TradingSession(
                    read(),
                    load_again=read,
                    instance=INSTANCE,
                    state=state,
                    notifier=Notifier(),
                    logs=logs,
                )
                await session.up.start()
            try:
                yield session
            finally:
                session.ask_to_stop("the benchmark is over")
                await session.down.stop()
        finally:
            logs.close()
            output.close()


def _prepared(folder: Path) -> tuple[Path, TextIO]:
    """Lead everything to a folder; return the state folder and the log."""
    run = folder / "run"
    run.mkdir(mode=0o700)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    os.environ["XDG_RUNTIME_DIR"] = str(run)
    return folder / "state" / "tradingd" / INSTANCE, (folder / "log.txt").open("w")


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a benchmark on the daemon's kind of loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
