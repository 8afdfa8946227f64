"""Group `execution`: how a simulated order turns into fills."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import BasisPoints, Group, Percent


class NoSlippage(Group, tag_field="kind", tag="none", frozen=True, kw_only=True):
    """Fill at the touch price."""


class FixedSlippage(Group, tag_field="kind", tag="fixed", frozen=True, kw_only=True):
    """A constant cost per share, always against the order."""

    basis_points: BasisPoints = 2.0


class SpreadVolatilitySlippage(
    Group, tag_field="kind", tag="spread_volatility", frozen=True, kw_only=True
):
    """Half the spread plus a share of recent volatility, always against the order.

    slippage per share = price x (half_spread_bps + volatility_share x sigma) where sigma is the
    running standard deviation of bar returns over `window` bars.
    """

    half_spread_bps: BasisPoints = 1.0
    volatility_share: Annotated[float, Meta(ge=0, le=10)] = 0.05
    window: Annotated[int, Meta(ge=2, le=10_000)] = 30


SlippageConfig = NoSlippage | FixedSlippage | SpreadVolatilitySlippage


class ExecutionConfig(Group, frozen=True, kw_only=True):
    """The fill model of the simulated venue."""

    latency_ms: Annotated[
        int,
        Meta(ge=0, le=60_000, description="0 fills at the close that was just seen: it flatters."),
    ] = 250
    slippage: SlippageConfig = SpreadVolatilitySlippage()
    participation_percent: Annotated[
        Percent,
        Meta(description="Share of a bar's volume one order may take; 0: no cap."),
    ] = 10.0
