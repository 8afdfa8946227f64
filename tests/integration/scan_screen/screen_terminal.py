"""A real terminal for the screen: a process on a pseudo-terminal of a size."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_RUN = "import sys; from tradingd.cli.main import tradingd; sys.exit(tradingd())"


class Terminal:
    """What a process draws, and its end."""

    def __init__(self, pid: int, file: int) -> None:
        self.pid = pid
        self.drawn = ""
        self._file: int | None = file

    def press(self, keys: str) -> None:
        assert self._file is not None
        os.write(self._file, keys.encode())

    def until(self, words: str, seconds: float = 40.0) -> None:
        """Read on until words are drawn."""
        ends = time.monotonic() + seconds
        start = len(self.drawn)
        while words not in self.drawn[start:]:
            assert time.monotonic() < ends, self.drawn[-2_000:]
            self._read()

    def resize(self, columns: int, lines: int) -> None:
        assert self._file is not None
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, size)

    def hang_up(self) -> None:
        """Close the terminal, as its window does."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def code(self, seconds: float = 20.0) -> int:
        """Wait for the end; return the exit code."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            if self._file is None:
                time.sleep(0.05)
            else:
                self._read()
        raise AssertionError(f"still runs: {self.drawn[-2_000:]}")

    def _read(self) -> None:
        assert self._file is not None
        if select.select([self._file], [], [], 0.1)[0]:
            # The other end is closed: the process is about to end.
            with suppress(OSError):
                self.drawn += os.read(self._file, 65_536).decode("utf-8", "replace")


@contextmanager
def terminal(words: Sequence[str], columns: int = 120, lines: int = 30) -> Iterator[Terminal]:
    """Run `tradingd` on a terminal of its own."""
    pid, file = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-c", _RUN, *words])
    one = Terminal(pid, file)
    one.resize(columns, lines)
    try:
        yield one
    finally:
        if one.pid:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        one.hang_up()
