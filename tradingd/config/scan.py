"""Group `scan`: what counts as moving before the open."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Positive


class ScanConfig(Group, frozen=True, kw_only=True):
    """Gap and relative volume, and which symbols are worth a look."""

    min_price: Annotated[Decimal, Meta(description="Last price.", extra={"unit": "USD"})] = Decimal(
        1
    )
    max_price: Annotated[Decimal, Meta(description="Last price.", extra={"unit": "USD"})] = Decimal(
        30
    )
    min_gap_percent: Annotated[
        float,
        Meta(description="Last price over the prior session's close.", extra={"unit": "percent"}),
    ] = 2.0
    min_relative_volume: Annotated[
        float,
        Meta(
            ge=0,
            description="Volume since the window's start over the mean of the same minutes.",
            extra={"unit": "factor"},
        ),
    ] = 1.0
    window_start: Annotated[
        dt.time,
        Meta(description="Volume is counted from here on, New York time.", tz=False),
    ] = dt.time(4, 0)
    average_sessions: Annotated[
        Positive, Meta(description="Sessions before that make the average.")
    ] = 20
    min_sessions: Annotated[
        Positive, Meta(description="Fewer of them: the relative volume is unknown, and shown so.")
    ] = 5
    min_volume: Annotated[Count, Meta(description="Shares since the window's start.")] = 0
    max_float: Annotated[
        Count, Meta(description="Shares that float; 0: any. Unknown ones pass, marked.")
    ] = 0
    min_average_volume: Annotated[
        Count, Meta(description="Average daily volume (ADV) in shares; 0: any.")
    ] = 0
    max_spread_percent: Annotated[
        float,
        Meta(
            ge=0,
            description="Spread over mid price; 0: any. Unknown ones pass, marked.",
            extra={"unit": "percent"},
        ),
    ] = 0.0
    floats: Annotated[
        str, Meta(description="CSV file symbol,float with shares that float; empty: unknown.")
    ] = ""
    sort: Annotated[
        Literal["gap", "relative_volume", "volume", "price", "symbol"],
        Meta(description="What the table is sorted by, the largest first; symbols A to Z."),
    ] = "gap"
    rows: Annotated[Positive, Meta(description="Most rows of the table.")] = 50

    def __post_init__(self) -> None:
        if not 0 < self.min_price <= self.max_price:
            raise ValueError(
                f"scan.min_price {self.min_price} and scan.max_price {self.max_price}: expected "
                "0 < min <= max"
            )
        if self.min_sessions > self.average_sessions:
            raise ValueError("scan.min_sessions is above scan.average_sessions")
