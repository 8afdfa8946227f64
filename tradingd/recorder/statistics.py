"""The statistics of a recording session, as ``contracts/schemas/session-stats.v1`` has them."""

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingd.domain.market import NANOSECONDS
from tradingd.kits import atomicfile
from tradingd.level2 import layout
from tradingd.recorder.capture import Capture, PublishedFile
from tradingd.recorder.settings import SessionFacts, Settings

type EndedBy = Literal["stopped", "finished", "feed_ended", "failed", "recovered"]

_MOST_NAMES: Final = 3_600


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps of one reason, and how many records were lost in them where that is known."""

    count: int
    lost: int


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Who lost them: the feed its records; we, for want of memory or disk, rows and messages."""

    feed: int
    rows: int
    messages: int


class CaptureStats(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's capture; times are UTC ns of the data clock.

    `late` and `dropped_by` are None where the counts died with the process.
    """

    symbol: str
    day: dt.date
    began: int | None
    ended: int | None
    queue_seconds: float
    rows: int
    events: int
    messages: int
    late: int | None = None
    dropped: int
    dropped_by: Dropped | None = None
    gaps: dict[str, Lost]
    quality: dict[str, int]
    first_ts: int | None
    last_ts: int | None
    files: tuple[PublishedFile, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the session."""

    captures: int
    rows: int
    events: int
    messages: int
    late: int
    dropped: int
    dropped_by: Dropped
    bytes: int
    flushes: int
    max_buffer_rows: int
    max_flush_seconds: float
    max_queue_seconds: float


class SessionStats(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    contract: str = "session-stats"
    schema_version: str = "1.1.0"
    tradingd: str
    source: str
    label: str
    replayed: bool
    began: int
    ended: int
    ended_by: EndedBy
    detail: str
    settings: Settings
    totals: Totals
    captures: tuple[CaptureStats, ...]


class Effort(msgspec.Struct, kw_only=True):
    """What writing took."""

    flushes: int = 0
    most_rows: int = 0
    longest: float = 0.0


def stats_of(capture: Capture) -> CaptureStats:
    """Return the statistics of one capture."""
    tally = capture.tally
    return CaptureStats(
        symbol=capture.symbol,
        day=capture.day,
        began=capture.began,
        ended=capture.ended,
        queue_seconds=round(capture.queued, 3),
        rows=tally.rows,
        events=tally.events,
        messages=tally.messages,
        late=tally.late,
        dropped=tally.dropped,
        dropped_by=Dropped(
            feed=tally.dropped_feed, rows=tally.dropped_rows, messages=tally.dropped_messages
        ),
        gaps={reason: Lost(count=n, lost=lost) for reason, (n, lost) in tally.gaps.items()},
        quality=tally.quality,
        first_ts=tally.first_ts,
        last_ts=tally.last_ts,
        files=capture.files,
    )


def session_stats(
    facts: SessionFacts,
    captures: Sequence[CaptureStats],
    effort: Effort,
    *,
    ended: int,
    ended_by: EndedBy,
    detail: str = "",
    lost: int = 0,
) -> SessionStats:
    """Add everything up; `lost` are records of which it is not known whose they were."""
    totals = Totals(
        captures=len(captures),
        rows=sum(one.rows for one in captures),
        events=sum(one.events for one in captures),
        messages=sum(one.messages for one in captures),
        late=sum(one.late or 0 for one in captures),
        dropped=sum(one.dropped for one in captures) + lost,
        dropped_by=_sum_of([one.dropped_by for one in captures], lost),
        bytes=sum(file.bytes for one in captures for file in one.files),
        flushes=effort.flushes,
        max_buffer_rows=effort.most_rows,
        max_flush_seconds=round(effort.longest, 6),
        max_queue_seconds=max((one.queue_seconds for one in captures), default=0.0),
    )
    return SessionStats(
        tradingd=facts.tradingd,
        source=facts.source,
        label=facts.label,
        replayed=facts.replayed,
        began=facts.began,
        ended=ended,
        ended_by=ended_by,
        detail=detail,
        settings=facts.settings,
        totals=totals,
        captures=tuple(captures),
    )


def _sum_of(parts: Sequence[Dropped | None], lost: int) -> Dropped:
    known = [one for one in parts if one is not None]
    return Dropped(
        feed=sum(one.feed for one in known) + lost,
        rows=sum(one.rows for one in known),
        messages=sum(one.messages for one in known),
    )


def write(root: Path, stats: SessionStats) -> Path:
    """Write the document under the first free name at or after the session's start.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(stats), indent=2)
    descriptor, name = tempfile.mkstemp(prefix=".session_stats", suffix=".partial", dir=root)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(descriptor)
        temporary.chmod(0o644)
        return _linked(root, stats.began, temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _linked(root: Path, began: int, temporary: Path) -> Path:
    """Give a file the first free name; a link, unlike a rename, never takes another's place."""
    for second in range(_MOST_NAMES):
        path = layout.session_stats(root, began + second * NANOSECONDS)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
            atomicfile.fsync_folder(root)
            return path
    raise OSError(f"no free name for the statistics in {root}")
