"""Group `feed`: where a paper or live session gets its bars from."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group, Positive


class ReplayFeed(Group, frozen=True, kw_only=True):
    """History streamed as if it happened now; data time rules the session."""

    data: Annotated[
        Literal["store", "sample", "synthetic"],
        Meta(
            description="store: the history store; sample: the embedded real daily bars; "
            "synthetic: invented minute bars, labelled so everywhere."
        ),
    ] = "store"
    start: Annotated[
        dt.date | None, Meta(description="First session day; None: the first there is.")
    ] = None
    end: Annotated[
        dt.date | None, Meta(description="Last session day, inclusive; None: the last there is.")
    ] = None
    speed: Annotated[
        float,
        Meta(
            ge=0,
            description="Data seconds per wall second while bars come; 0: as fast as possible.",
            extra={"unit": "factor"},
        ),
    ] = 1.0
    longest_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="Most wall seconds between two batches (nights, weekends); 0: no limit.",
            extra={"unit": "seconds"},
        ),
    ] = 5.0
    at_end: Annotated[
        Literal["stop", "stay"],
        Meta(description="stop: end the session when the replay is over; stay: keep serving."),
    ] = "stop"
    symbols: Annotated[
        Positive, Meta(description="Number of symbols, for data=synthetic only.")
    ] = 5
    days: Annotated[Positive, Meta(description="Number of sessions, for data=synthetic only.")] = 5
    seed: Annotated[int, Meta(ge=0, description="Seed of the invented prices.")] = 7


FeedConfig = ReplayFeed
