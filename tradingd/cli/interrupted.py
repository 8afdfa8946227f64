"""End a command by SIGTERM as by Ctrl-C, and say in one line what that means for its work."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from tradingd.cli.command import Command
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.interrupts import Terminated

_TWICE: Final = 1.0
"""Seconds; `timeout` sends a signal to its child and then to all of its group."""

_DUCKDB: Final = "Query interrupted"


@contextmanager
def ended_by_signals(command: Command[Any, Any]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM during a command into its failure.

    Commands with handlers of their own put them over this one, or state `own_signals`. Does
    nothing about SIGTERM outside the main thread, or where somebody listens to it or ignores it.

    Raises
    ------
    Failure
        INTERRUPTED or TERMINATED, after blocks of the command were left in order.
    """
    with _sigterm_raises() as heard:
        try:
            yield
        except BaseException as error:
            # What is left of the signal where other code, or a library in C, translated it.
            # SystemExit: Ray listens to SIGTERM itself while it starts.
            if heard or isinstance(error, Terminated | SystemExit):
                raise _stopped(command, ExitCode.TERMINATED) from error
            if isinstance(error, KeyboardInterrupt) or _by_duckdb(error):
                raise _stopped(command, ExitCode.INTERRUPTED) from error
            raise


@contextmanager
def _sigterm_raises() -> Iterator[list[float]]:
    """Yield the times of SIGTERM, in seconds of a monotonic clock."""
    heard: list[float] = []
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield heard
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        again = now - (heard[-1] if heard else -math.inf) < _TWICE
        heard.append(now)
        if not again:
            raise Terminated

    signal.signal(signal.SIGTERM, hear)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _by_duckdb(error: BaseException) -> bool:
    """Tell whether this is Ctrl-C during a query, of which DuckDB makes a RuntimeError."""
    step: BaseException | None = error
    # Errors that are raised from one another may go round in a circle.
    seen: set[int] = set()
    while step is not None and id(step) not in seen:
        if isinstance(step, RuntimeError) and str(step) == _DUCKDB:
            return True
        seen.add(id(step))
        step = step.__cause__ or step.__context__
    return False


def _stopped(command: Command[Any, Any], code: ExitCode) -> Failure:
    by = " by SIGTERM" if code is ExitCode.TERMINATED else ""
    return Failure(
        f"interrupted{by}: {' '.join(command.path)}", code=code, next_step=command.interrupted
    )
