"""Who is recorded and who waits: so many streams, first come, first served. Pure bookkeeping."""

from enum import StrEnum


class Place(StrEnum):
    """Where a symbol is."""

    RECORDING = "recording"
    QUEUED = "queued"


class Slots:
    """At most `capacity` symbols have a stream; the others wait in the order they asked.

    Parameters
    ----------
    capacity : int
        Streams at once.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._held: dict[str, None] = {}
        self._line: dict[str, None] = {}

    @property
    def held(self) -> tuple[str, ...]:
        """Symbols with a stream, in the order they got it."""
        return tuple(self._held)

    @property
    def line(self) -> tuple[str, ...]:
        """Symbols that wait, the first in line first."""
        return tuple(self._line)

    def place(self, symbol: str) -> Place | None:
        """Return where a symbol is; None: nowhere."""
        if symbol in self._held:
            return Place.RECORDING
        return Place.QUEUED if symbol in self._line else None

    def ask(self, symbol: str) -> Place:
        """Give a symbol a stream, or the last place in line; one that has either keeps it."""
        place = self.place(symbol)
        if place is not None:
            return place
        if len(self._held) < self.capacity:
            self._held[symbol] = None
            return Place.RECORDING
        self._line[symbol] = None
        return Place.QUEUED

    def leave(self, symbol: str) -> str | None:
        """Take a symbol out; return the one that gets its stream, if there is one."""
        self._line.pop(symbol, None)
        if symbol not in self._held:
            return None
        del self._held[symbol]
        return self._upgrade()

    def _upgrade(self) -> str | None:
        first = next(iter(self._line), None)
        if first is not None:
            del self._line[first]
            self._held[first] = None
        return first
