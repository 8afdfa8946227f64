"""Lengths that several kinds have as parameters."""

from typing import Annotated

from msgspec import Meta

from tradingd.features.feature import FeatureParams

Length = Annotated[int, Meta(ge=2, le=10_000, description="Length in bars.")]


class Window(FeatureParams, frozen=True, kw_only=True):
    """One length."""

    bars: Length = 20


class Pair(FeatureParams, frozen=True, kw_only=True):
    """A short and a long length."""

    fast: Annotated[int, Meta(ge=2, le=10_000, description="Short length in bars.")] = 20
    slow: Annotated[int, Meta(ge=3, le=10_000, description="Long length in bars.")] = 50

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast {self.fast} is not below slow {self.slow}")


class WilderParams(FeatureParams, frozen=True, kw_only=True):
    """Wilder's smoothing length."""

    bars: Annotated[int, Meta(ge=2, le=1_000, description="Smoothing length in bars.")] = 14
