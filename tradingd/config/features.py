"""Group `features`: the columns that models see, and what they are computed from."""

from typing import Annotated, Any

from msgspec import Meta

from tradingd.config.base import Group
from tradingd.config.strategy import Bars

FeatureName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class FeaturesConfig(Group, frozen=True, kw_only=True):
    """A set of features; `tradingd features list` names the kinds and their parameters."""

    bars: Bars = "1d"
    benchmark: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z][A-Z0-9.\-]{0,14})?$",
            description="What beta, correlation and relative strength refer to; empty: none.",
        ),
    ] = ""
    sectors: Annotated[
        str, Meta(description="CSV file symbol,sector; empty: sectors are unknown.")
    ] = ""
    declared: Annotated[
        dict[FeatureName, dict[str, Any]],
        Meta(
            description="Features by a name of your own; each has a kind, or `package.module:Class`"
            " of your own, its inputs where they may be chosen, and its parameters."
        ),
    ] = {}
