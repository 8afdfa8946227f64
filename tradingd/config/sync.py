"""Group `sync`: which history `tradingd data sync` keeps complete, from whom, and how good."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Minutes, Positive, Symbol
from tradingd.config.source import AlpacaSource, RemoteSourceConfig, YahooSource

_PercentOfAsked = Annotated[float, Meta(ge=0, le=100, extra={"unit": "percent"})]


class SyncConfig(Group, frozen=True, kw_only=True):
    """Missing history is asked of the first source; what fails the checks, of the next one."""

    sources: Annotated[
        tuple[RemoteSourceConfig, ...],
        Meta(
            min_length=1,
            description="Primary first, then fallbacks. Their symbols, start, end and resolution "
            "are set by the sync.",
        ),
    ] = (AlpacaSource(), YahooSource())
    symbols: Annotated[
        tuple[Symbol, ...],
        Meta(description="What to keep complete; empty: the universe, else all that is stored."),
    ] = ()
    resolution: Annotated[Literal["1m", "1h", "1d"], Meta(description="Length of the bars.")] = "1d"
    start: Annotated[
        dt.date | None,
        Meta(description="First New York day looked at; None: `days` before the last."),
    ] = None
    end: Annotated[
        dt.date | None,
        Meta(description="Last New York day, inclusive; None: the last session that is over."),
    ] = None
    days: Annotated[Positive, Meta(description="Days looked back while `start` is None.")] = 30
    settle_minutes: Annotated[
        Minutes,
        Meta(description="After a session's close, before it is asked for: vendors publish late."),
    ] = 60
    refresh: Annotated[
        Count,
        Meta(description="Last sessions that are fetched again though stored, for corrections."),
    ] = 0
    task_sessions: Annotated[
        Positive, Meta(description="Sessions of one symbol that are fetched and judged together.")
    ] = 250
    min_coverage: Annotated[
        _PercentOfAsked,
        Meta(description="Sessions asked for that must have bars, for a clean verdict."),
    ] = 100.0
    min_session_coverage: Annotated[
        _PercentOfAsked,
        Meta(
            description="Share of a session's bars below which a stored session of shorter bars "
            "counts as missing; 0: any bar will do."
        ),
    ] = 0.0
    refuse: Annotated[
        tuple[
            Literal[
                "missing_session",
                "missing_minutes",
                "outlier",
                "split_like_jump",
                "stale",
                "zero_volume",
                "extended_hours",
            ],
            ...,
        ],
        Meta(
            description="Findings below severity error that send a range to the next source; "
            "errors always do."
        ),
    ] = ("missing_session", "missing_minutes", "outlier", "split_like_jump", "stale")
    none_clean: Annotated[
        Literal["refuse", "take_best"],
        Meta(
            description="When no source passes: leave the range open, or store the best one, "
            "flagged. Rows that cannot be are never stored."
        ),
    ] = "refuse"
    actions: Annotated[
        bool, Meta(description="Fetch splits and dividends of the same days too.")
    ] = True
    context_sessions: Annotated[
        Count,
        Meta(description="Stored sessions before and after a range that the checks see with it."),
    ] = 60

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"sync.end {self.end} is before sync.start {self.start}")
