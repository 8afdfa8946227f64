"""What a recorder is doing, for screens, status, metrics and `--json`."""

import msgspec


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol that is recorded.

    `last_ts` is the time of its last snapshot, UTC ns (0: none), `trouble` what was wrong with it.
    """

    symbol: str
    events: int
    rows: int
    waiting: int
    late: int
    gaps: int
    last_ts: int
    trouble: str


class RecorderView(msgspec.Struct, frozen=True, kw_only=True):
    """A recorder at one moment; counts are since its start.

    `events` are records of all symbols that were recorded; `dropped_feed` those that the feed lost,
    `dropped_rows` and `dropped_messages` those that found no room in memory since the disk was too
    slow or full. `buffered` rows wait in memory or for the disk, at most `buffer_limit`.
    `flushed_ago` is in seconds, negative before the first flush.
    """

    label: str
    slots: int
    recording: tuple[StreamView, ...]
    queue: tuple[str, ...]
    refused: dict[str, str]
    events: int
    rows: int
    messages: int
    late: int
    dropped_feed: int
    dropped_rows: int
    dropped_messages: int
    unfit: int
    buffered: int
    buffer_limit: int
    flushes: int
    flushed_ago: float
    slowest_flush: float
    disk: str
    published: int
    recovered: int
    data_time: int
