"""Where everything stands, for the log: thread stacks on SIGQUIT, task stacks on request.

systemd's watchdog sends SIGQUIT (``WatchdogSignal=SIGQUIT``). The handler is faulthandler's, in C:
it prints every thread even when the interpreter is stuck, then chains to the default action, so
the process dies in the same second. No Python code may run there, so the stacks of asyncio's tasks
are written earlier, by the heartbeat, when it begins to withhold the beat.
"""

import asyncio
import faulthandler
import io
import signal
import sys
from typing import Any, Final, TextIO

_FRAMES: Final = 12


def dump_on_quit(file: TextIO | None = None) -> None:
    """Print every thread's stack on SIGQUIT, then die of it.

    `file` must have a descriptor and stay open; default: stderr.
    """
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    faulthandler.register(signal.SIGQUIT, file=file or sys.stderr, all_threads=True, chain=True)


def task_stacks(loop: asyncio.AbstractEventLoop | None = None) -> str:
    """Return the stack of every task of the loop, by name; call it on the loop's thread."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return "\n".join(_stack(task) for task in tasks)


def _stack(task: asyncio.Task[Any]) -> str:
    text = io.StringIO()
    task.print_stack(limit=_FRAMES, file=text)
    return f"[{task.get_name()}] {text.getvalue().rstrip()}"
