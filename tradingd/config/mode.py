"""Group `mode`: what kind of run this is."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta

from tradingd.config.base import Group

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2035
"""Years that the exchange calendars are loaded for (`tradingd.session.calendar`)."""

MOST_CASH: Final = Decimal(1_000_000_000_000)
"""Within what the engine can hold (it refuses 1e14), with room for gains."""


class BacktestMode(Group, tag_field="kind", tag="backtest", frozen=True, kw_only=True):
    """Run strategies over stored history."""

    start: Annotated[
        dt.date | None,
        Meta(description="First session day, 1990 to 2035, inclusive; None: the first stored."),
    ] = None
    end: Annotated[
        dt.date | None,
        Meta(description="Last session day, 1990 to 2035, inclusive; None: the last stored."),
    ] = None
    cash: Annotated[
        Decimal,
        Meta(
            description="Starting cash, at most 1e12 and nine decimals.",
            extra={"unit": "USD"},
        ),
    ] = Decimal(100_000)
    chunk_rows: Annotated[
        int,
        Meta(
            ge=1_000,
            le=5_000_000,
            description="Rows in memory at once; bounds the footprint.",
            extra={"unit": "rows"},
        ),
    ] = 100_000
    results: Annotated[
        str, Meta(description="Folder of run folders; empty: runs/ beside the store.")
    ] = ""
    equity_every: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds between equity samples, session closes apart.",
            extra={"unit": "seconds"},
        ),
    ] = 300

    def __post_init__(self) -> None:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"mode.start {self.start} is after mode.end {self.end}")
        for name, day in (("start", self.start), ("end", self.end)):
            if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise ValueError(f"mode.{name} must be in {FIRST_YEAR} to {LAST_YEAR}, found {day}")
        if not self.cash.is_finite() or self.cash <= 0:
            raise ValueError(f"mode.cash must be positive, found {self.cash}")
        if self.cash > MOST_CASH:
            raise ValueError(f"mode.cash must be at most {MOST_CASH:,}, found {self.cash}")
        if self.cash != round(self.cash, 9):
            raise ValueError(f"mode.cash must have at most nine decimals, found {self.cash}")


class SessionMode(Group, frozen=True, kw_only=True):
    """What paper and live sessions have in common."""

    close_on_stop: Annotated[
        bool, Meta(description="Close every position when the daemon stops.")
    ] = False
    equity_every: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Data seconds between equity samples.",
            extra={"unit": "seconds"},
        ),
    ] = 300
    warm_up_bars: Annotated[
        int, Meta(ge=0, le=100_000, description="Bars a strategy sees before it may trade.")
    ] = 500
    shadow: Annotated[
        bool,
        Meta(
            description="Run everything and send nothing: each order is journaled as one that "
            "would have been sent."
        ),
    ] = False


class PaperMode(SessionMode, tag_field="kind", tag="paper", frozen=True, kw_only=True):
    """Trade with simulated money; the default mode."""

    cash: Annotated[
        Decimal,
        Meta(description="Cash a new simulated account begins with.", extra={"unit": "USD"}),
    ] = Decimal(100_000)


class LiveMode(SessionMode, tag_field="kind", tag="live", frozen=True, kw_only=True):
    """Trade with real money; nothing leaves unarmed."""

    account: Annotated[
        str, Meta(min_length=1, description="Broker account number this configuration is for.")
    ]
    arm_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=10_080,
            description="Longest time that `tradingctl arm` lasts (wall time); then only exits "
            "leave until it is armed again.",
            extra={"unit": "minutes"},
        ),
    ] = 600


ModeConfig = BacktestMode | PaperMode | LiveMode
