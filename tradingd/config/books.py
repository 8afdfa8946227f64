"""Keys that the groups of order books share: how books are sampled, and Databento's names."""

from typing import Annotated, Literal

from msgspec import Meta

Levels = Annotated[int, Meta(ge=1, le=50, description="Levels a side that are kept.")]

IntervalMs = Annotated[
    int,
    Meta(
        ge=0,
        le=60_000,
        description="Spacing of snapshots on the data clock; 0: no grid, only on_change.",
        extra={"unit": "milliseconds"},
    ),
]

OnChange = Annotated[
    bool, Meta(description="Also keep every state that differs from the one before.")
]

StaleSeconds = Annotated[
    float,
    Meta(
        gt=0,
        description="One side unchanged for so long while the other moves is marked stale.",
        extra={"unit": "seconds"},
    ),
]

Dataset = Annotated[
    str, Meta(pattern=r"^[A-Z0-9]+\.[A-Z0-9]+$", description="Databento's dataset.")
]

BookSchema = Annotated[Literal["mbp-10", "mbp-1"], Meta(description="Ten levels a side, or one.")]
