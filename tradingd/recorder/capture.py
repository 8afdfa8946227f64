"""One symbol's capture of one day: its counts on the loop, its files in the writer's thread."""

import datetime as dt
from collections import Counter
from pathlib import Path

import msgspec

from tradingd.domain.depth import DepthGap
from tradingd.level2.columns import Quality
from tradingd.recorder.folder import CaptureFolder
from tradingd.recorder.settings import SessionFacts


class Tally:
    """What a capture counted so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.events = 0
        self.messages = 0
        self.dropped_feed = 0
        self.dropped_rows = 0
        self.dropped_messages = 0
        self.late = 0
        self.gaps: dict[str, tuple[int, int]] = {}
        self.first_ts: int | None = None
        self.last_ts: int | None = None
        self._qualities: Counter[int] = Counter()

    def row(self, ts: int, quality: int) -> None:
        """Count a snapshot."""
        self.rows += 1
        self._qualities[quality] += 1
        self.last_ts = ts
        if self.first_ts is None:
            self.first_ts = ts

    def gap(self, gap: DepthGap) -> None:
        """Count a gap and what was lost in it."""
        count, lost = self.gaps.get(gap.reason, (0, 0))
        self.gaps[gap.reason] = (count + 1, lost + gap.lost)
        self.dropped_feed += gap.lost

    @property
    def dropped(self) -> int:
        """Records and rows that are lost, whoever lost them."""
        return self.dropped_feed + self.dropped_rows + self.dropped_messages

    @property
    def quality(self) -> dict[str, int]:
        """Rows by what was wrong with them."""
        return by_bit(self._qualities)


def by_bit(counts: Counter[int]) -> dict[str, int]:
    """Return how many rows have each bit of `Quality`, leaving out those that none has."""
    named = {bit.name or "": sum(n for q, n in counts.items() if q & bit) for bit in Quality}
    return {name: count for name, count in named.items() if count}


class PublishedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the statistics list it; `path` is relative to the level-2 folder."""

    path: str
    contract: str
    rows: int
    bytes: int


class Capture:
    """Handle of a capture.

    Parameters
    ----------
    root : Path
        The level-2 folder.
    facts : SessionFacts
    symbol : str
    day : date
        New York day.
    began : int
        Data time of its first record, UTC ns.
    queued : float
        Seconds the symbol waited in line.
    """

    def __init__(
        self,
        root: Path,
        facts: SessionFacts,
        *,
        symbol: str,
        day: dt.date,
        began: int,
        queued: float,
    ) -> None:
        self.symbol = symbol
        self.day = day
        self.began = began
        self.queued = queued
        self.ended: int | None = None
        self.tally = Tally()
        self.folder = CaptureFolder(root, facts, symbol=symbol, day=day, began=began)
        self.files: tuple[PublishedFile, ...] = ()
        self.published = False
