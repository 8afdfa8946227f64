"""One file of a replay, whatever its kind: its records in time order."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from tradingd.domain.depth import DepthEvent, DepthGap

type Told = DepthEvent | DepthGap


class EventSource(ABC):
    """A file that can be told; nothing is read before `open`.

    Attributes
    ----------
    path : Path
        The file.
    symbols : frozenset of str
        What it has, after `open`.
    levels : int
        Levels a side, after `open`.
    first_ts : int or None
        UTC ns of its first record, None: it is empty.
    last_ts : int
        UTC ns of its last record; where that is not known without reading it all, one that never
        comes.
    """

    path: Path
    symbols: frozenset[str] = frozenset()
    levels: int = 0
    first_ts: int | None = None
    last_ts: int = 2**63 - 1

    @abstractmethod
    def open(self) -> None:
        """Read what describes the file."""

    @abstractmethod
    def tell(self) -> Iterator[Told]:
        """Yield the records of all symbols in time order, also of those nobody wants."""


def time_of(told: Told) -> int:
    """Return the data time of a record or a gap, UTC ns."""
    return told.ts_recv if isinstance(told, DepthEvent) else told.ts
