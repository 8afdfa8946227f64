"""The service manager's end of the notification socket: what a daemon told it, and when."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.stopwatch import Stopwatch


class Told(NamedTuple):
    """One field of one datagram: monotonic seconds, seconds lived through here, name, value."""

    at: float
    lived: float
    name: str
    value: str


class Notified:
    """Receives on a socket of its own and remembers everything.

    Parameters
    ----------
    path : Path
        Where the socket is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[Told] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._lived = Stopwatch().__enter__()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop receiving."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"END=1", str(self.path))
        self._thread.join(timeout=5)
        self._lived.__exit__(None, None, None)
        self._socket.close()

    def forget(self) -> None:
        """Begin anew, before the next start."""
        self.told = []

    def values(self, name: str) -> list[str]:
        """Return every value told under a name, in order."""
        return [one.value for one in self.told if one.name == name]

    @property
    def is_ready(self) -> bool:
        """Whether READY=1 was told."""
        return "1" in self.values("READY")

    @property
    def beats(self) -> list[float]:
        """When the watchdog's beat came."""
        return [one.at for one in self.told if one.name == "WATCHDOG"]

    def beats_since(self, moment: float) -> int:
        """Return how many beats came after a moment."""
        return sum(at > moment for at in self.beats)

    def silence(self, since: float) -> float:
        """Return the longest stretch without a beat since a moment, seconds."""
        return _longest(since, self.beats, time.monotonic())

    @property
    def lived(self) -> float:
        """Seconds that this process has lived through: those of a machine at rest do not count."""
        return self._lived.seconds

    def own_silence(self, since: float) -> float:
        """Return the longest stretch without a beat that was the daemon's own: in seconds lived.

        `since` is a moment of `lived`. What is said by a daemon that goes on is judged by it.
        """
        beats = [one.lived for one in self.told if one.name == "WATCHDOG"]
        return _longest(since, beats, self.lived)

    def _receive(self) -> None:
        while (data := self._socket.recv(65_536)) != b"END=1":
            now = time.monotonic()
            for line in data.decode().splitlines():
                name, _, value = line.partition("=")
                self.told.append(Told(now, self.lived, name, value))


def _longest(since: float, beats: Sequence[float], now: float) -> float:
    marks = [since, *(beat for beat in beats if beat > since), now]
    return max(later - earlier for earlier, later in itertools.pairwise(marks))


def eventually[T](look: Callable[[], T], what: str, seconds: float = 40.0) -> T:
    """Return the first true value of `look`; fail with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
    return found
