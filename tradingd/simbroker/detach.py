"""Running on behind: a process that lets go of its parent once it serves."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

_TELL: Final = 3


def detached(log: Path, serve: Callable[[Callable[[], None]], int]) -> int:
    """Fork a session of its own; the parent waits for a word on a pipe and ends.

    Parameters
    ----------
    log : Path
        Where the child writes what it says.
    serve : callable
        Runs in the child; calls what it is given once it serves, and returns its exit code.

    Returns
    -------
    int
        Exit code for the parent: 0 once the child serves, else the child's.
    """
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with os.fdopen(ready, "rb") as pipe:
            word = pipe.read()
        # One byte is the exit code; nothing at all means that it died before it could say.
        return word[0] if word else 1
    os.setsid()
    _let_go(log, tell)

    def say(code: int) -> None:
        os.write(_TELL, bytes([code]))
        os.close(_TELL)

    told = []

    def up() -> None:
        told.append(True)
        say(0)

    code = serve(up)
    if not told:
        say(code)
    os._exit(code)


def _let_go(path: Path, tell: int) -> None:
    """Write to the log, keep the pipe to the parent as descriptor 3, close whatever else is open.

    An inherited descriptor would keep its other end waiting for as long as this process lives.
    """
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = os.dup(tell)  # above all of 0 to 3 now, so that none is overwritten before its turn
    for source, target in ((nothing, 0), (log, 1), (log, 2), (kept, _TELL)):
        os.dup2(source, target)
    os.closerange(_TELL + 1, os.sysconf("SC_OPEN_MAX"))
