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


class MarketStyle(Group, tag_field="kind", tag="market", frozen=True, kw_only=True):
    """Send what the strategy says: a market order when it names no price."""


class LimitStyle(Group, tag_field="kind", tag="limit", frozen=True, kw_only=True):
    """Work an order as limits near the market, re-priced until filled, timed out or too far.

    The first limit is `offset_bps` beyond the touch that the order would take, plus
    `spread_share` of the spread and `volatility_share` of the standard deviation of bar returns,
    never more than `cap_bps` from the mark at the decision.
    """

    offset_bps: Annotated[BasisPoints, Meta(description="Distance beyond the touch.")] = 5.0
    spread_share: Annotated[Fraction, Meta(description="Share of the spread on top of it.")] = 0.25
    volatility_share: Annotated[
        Fraction, Meta(description="Share of recent volatility on top of it.")
    ] = 0.1
    window: Annotated[
        int,
        Meta(
            ge=2,
            le=10_000,
            description="Bars the standard deviation is taken over.",
            extra={"unit": "bars"},
        ),
    ] = 30
    cap_bps: Annotated[
        BasisPoints, Meta(description="Farthest limit from the mark at the decision.")
    ] = 50.0
    timeout_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Session time until a new price; looked at after bars where data is time.",
            extra={"unit": "s"},
        ),
    ] = 60
    reprices: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="New prices before the rest is given up; per part where there are several.",
        ),
    ] = 3
    accept_percent: Annotated[
        float,
        Meta(
            ge=1,
            le=100,
            description="Filled share of an entry with which its rest is let go.",
            extra={"unit": "percent"},
        ),
    ] = 80.0
    slices: Annotated[
        Positive, Meta(description="Parts that an order is cut into, evenly in time (TWAP).")
    ] = 1
    slice_seconds: Annotated[
        int,
        Meta(ge=1, le=86_400, description="Data time between two parts.", extra={"unit": "s"}),
    ] = 60
    exits: Annotated[
        Literal["market", "limit"],
        Meta(
            description="How exits go: market at once, or worked as limits and at the market when "
            "they time out."
        ),
    ] = "limit"


StyleConfig = MarketStyle | LimitStyle


class ExecutionConfig(Group, frozen=True, kw_only=True):
    """How orders are worked, the fill model of the simulated venue, approval of entries."""

    style: Annotated[
        StyleConfig, Meta(description="How an order without a price of its own is worked.")
    ] = MarketStyle()

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
