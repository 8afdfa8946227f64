"""Bring the engine's own text lines into the log: what it prints becomes records.

The engine writes lines such as ``2026-01-02T14:30:00.000000000Z [INFO] TRADER-001.Node: RUNNING``
to standard output from Rust, past Python's logging.
"""

import contextlib
import fcntl
import logging
import os
import re
import threading
from typing import Final, TextIO

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINE: Final = re.compile(
    r"^\d{4}-\d\d-\d\dT[\d:.]+Z? \[(?P<level>\w+)\] (?P<component>[\w.\-()]+): (?P<text>.*)$"
)
_LEVELS: Final = {
    "TRACE": logging.DEBUG, "DEBUG": logging.DEBUG, "DBG": logging.DEBUG,
    "INFO": logging.INFO, "INF": logging.INFO,
    "WARN": logging.WARNING, "WARNING": logging.WARNING, "WRN": logging.WARNING,
    "ERROR": logging.ERROR, "ERR": logging.ERROR,
}  # fmt: skip
_PIPE_BYTES: Final = 1 << 20


def log_line(line: str) -> None:
    """Log one line of the engine: its level and component where it has them, else as it is."""
    text = _COLOUR.sub("", line).rstrip()
    if not text:
        return
    match = _LINE.match(text)
    if match is None:
        logging.getLogger("stdout").info("%s", text)
        return
    component = match["component"].partition(".")[2] or match["component"]
    logging.getLogger("engine").log(
        _LEVELS.get(match["level"].upper(), logging.INFO),
        "%s: %s",
        component,
        match["text"],
        extra={"fields": {"event": "engine", "component": component}},
    )


class EngineOutput:
    """Takes over a file descriptor, by default standard output, and logs its lines.

    A thread reads, so that a burst of the engine waits for nobody; `original` still leads where
    the descriptor led before, for a person's screen.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._thread: threading.Thread | None = None
        self.original: TextIO | None = None

    def start(self) -> None:
        """Take the descriptor over."""
        self.original = os.fdopen(os.dup(self._descriptor), "w", encoding="utf-8")
        read, write = os.pipe()
        with contextlib.suppress(OSError):  # the system's limit for pipes may be lower
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.dup2(write, self._descriptor)
        os.close(write)
        self._thread = threading.Thread(
            target=self._run, args=(read,), name="engine output", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give the descriptor back; what was written before is logged first."""
        if self.original is None or self._thread is None:
            return
        self.original.flush()
        # The last writer's end closes here, which ends the thread once it has read everything.
        os.dup2(self.original.fileno(), self._descriptor)
        self._thread.join(5)
        self.original.close()
        self.original = None

    @staticmethod
    def _run(read: int) -> None:
        with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                log_line(line)
