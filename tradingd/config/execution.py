"""Group `execution`: how a simulated order turns into fills, and who approves entries."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import BasisPoints, Fraction, Group, Percent, Positive


class NoSlippage(Group, tag_field="kind", tag="none", frozen=True, kw_only=True):
    """Fill at the touch price."""


class FixedSlippage(Group, tag_field="kind", tag="fixed", frozen=True, kw_only=True):
    """A constant cost per share, always against the order."""

    basis_points: Annotated[BasisPoints, Meta(description="Cost per share, of the price.")] = 2.0


class SpreadVolatilitySlippage(
    Group, tag_field="kind", tag="spread_volatility", frozen=True, kw_only=True
):
    """Half the spread plus a share of recent volatility, always against the order.

    slippage per share = price x (half_spread_bps + volatility_share x sigma) where sigma is the
    running standard deviation of bar returns over `window` bars.
    """

    half_spread_bps: Annotated[
        BasisPoints, Meta(description="Half the quoted spread, of the price.")
    ] = 1.0
    volatility_share: Annotated[
        Fraction, Meta(description="Share of the standard deviation of bar returns.")
    ] = 0.05
    window: Annotated[
        int,
        Meta(
            ge=2,
            le=10_000,
            description="Bars the standard deviation is taken over.",
            extra={"unit": "bars"},
        ),
    ] = 30


SlippageConfig = NoSlippage | FixedSlippage | SpreadVolatilitySlippage


class ExecutionConfig(Group, frozen=True, kw_only=True):
    """The fill model of the simulated venue; approval of entries in paper and live."""

    latency_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description="Time from decision to venue; 0 fills at the close just seen: it flatters.",
            extra={"unit": "milliseconds"},
        ),
    ] = 250
    slippage: Annotated[
        SlippageConfig, Meta(description="Cost of crossing the spread and moving the price.")
    ] = SpreadVolatilitySlippage()
    participation_percent: Annotated[
        Percent,
        Meta(description="Share of a bar's volume one order may take; 0: no cap."),
    ] = 10.0
    approval: Annotated[
        Literal["auto", "manual"],
        Meta(description="manual: entries wait for `tradingctl approve`; exits never wait."),
    ] = "auto"
    approval_minutes: Annotated[
        Positive,
        Meta(
            description="Data time after which an entry that nobody approved is dropped.",
            extra={"unit": "minutes"},
        ),
    ] = 5
