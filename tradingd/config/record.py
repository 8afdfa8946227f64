"""Group `record`: which order books are captured, how finely, and within which bounds."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Count, Group, Minutes, Positive, Symbol
from tradingd.config.books import IntervalMs, Levels, OnChange, StaleSeconds


class RecordConfig(Group, frozen=True, kw_only=True):
    """The recorder of level-2 books; `depth` says where they come from."""

    enabled: Annotated[
        bool, Meta(description="Record beside the trading session, in the daemon.")
    ] = False
    symbols: Annotated[
        tuple[Symbol, ...],
        Meta(description="Recorded from the start, in this order; more may be asked for later."),
    ] = ()
    levels: Levels = 10
    interval_ms: IntervalMs = 100
    on_change: OnChange = False
    messages: Annotated[bool, Meta(description="Keep the message log too.")] = True
    max_streams: Annotated[
        Positive, Meta(description="Books followed at once; others wait in line.")
    ] = 5
    minutes: Annotated[
        Minutes, Meta(description="Length of one symbol's capture; 0: until it is stopped.")
    ] = 0
    flush_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=300,
            description="A sudden death loses at most what came since the last flush.",
            extra={"unit": "seconds"},
        ),
    ] = 5.0
    buffer_rows: Annotated[
        Positive,
        Meta(description="Snapshots held in memory at most; the fullest symbol is written first."),
    ] = 200_000
    stale_seconds: StaleSeconds = 60.0
    late_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Wait of a live grid for records that are on their way.",
            extra={"unit": "seconds"},
        ),
    ] = 2.0
    close: Annotated[
        dt.time,
        Meta(
            description="New York time at which what was captured of live books is published, "
            "besides midnight; what comes after begins another file.",
            tz=False,
        ),
    ] = dt.time(20, 10)
    keep_days: Annotated[
        Count, Meta(description="Older captures are deleted at the start; 0: never.")
    ] = 0

    def __post_init__(self) -> None:
        if self.interval_ms == 0 and not self.on_change:
            raise ValueError("record.interval_ms is 0 and record.on_change is false: no snapshots")
        if self.enabled and not self.symbols:
            raise ValueError("record.enabled needs record.symbols")
