"""Group `strategy`: which strategy runs, with its parameters."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Percent, Positive

Bars = Literal["1s", "1m", "1h", "1d"]


class StrategyBase(Group, frozen=True, kw_only=True):
    """What every strategy states."""

    bars: Annotated[Bars, Meta(description="Resolution of the bars it trades on.")] = "1d"


class EmaCross(StrategyBase, tag_field="kind", tag="ema_cross", frozen=True, kw_only=True):
    """Long while the fast average is above the slow one, flat otherwise."""

    bars: Bars = "1m"
    fast: Annotated[int, Meta(ge=1, le=10_000)] = 20
    slow: Annotated[int, Meta(ge=2, le=10_000)] = 100
    quantity: Positive = 100

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be shorter than slow ({self.slow})")


class IntradayMeanReversion(
    StrategyBase, tag_field="kind", tag="intraday_mean_reversion", frozen=True, kw_only=True
):
    """Fade stretches from the session VWAP that RSI confirms; flat by the end of the day."""

    bars: Bars = "1m"
    z_entry: Annotated[float, Meta(gt=0, le=20)] = 2.0
    z_exit: Annotated[float, Meta(ge=0, le=20)] = 0.5
    z_window: Annotated[int, Meta(ge=5, le=10_000)] = 30
    rsi_period: Annotated[int, Meta(ge=2, le=1_000)] = 14
    rsi_oversold: Annotated[float, Meta(ge=0, le=100)] = 30.0
    rsi_overbought: Annotated[float, Meta(ge=0, le=100)] = 70.0
    atr_period: Annotated[int, Meta(ge=2, le=1_000)] = 14
    stop_atr: Annotated[float, Meta(gt=0, le=100)] = 1.5
    risk_percent: Annotated[Percent, Meta(description="Equity risked between entry and stop.")] = (
        0.2
    )
    max_position_percent: Percent = 4.5
    allow_short: bool = True
    flatten_minutes: Annotated[
        Count, Meta(description="Close everything this many minutes before the session close.")
    ] = 10

    def __post_init__(self) -> None:
        if self.z_exit >= self.z_entry:
            raise ValueError(f"z_exit ({self.z_exit}) must be below z_entry ({self.z_entry})")


class SwingTrend(StrategyBase, tag_field="kind", tag="swing_trend", frozen=True, kw_only=True):
    """Enter pull-backs inside an EMA trend that ADX confirms; trail by ATR; hold 1-10 days."""

    fast: Annotated[int, Meta(ge=1, le=10_000)] = 20
    slow: Annotated[int, Meta(ge=2, le=10_000)] = 50
    adx_period: Annotated[int, Meta(ge=2, le=1_000)] = 14
    adx_min: Annotated[float, Meta(ge=0, le=100)] = 20.0
    atr_period: Annotated[int, Meta(ge=2, le=1_000)] = 14
    trail_atr: Annotated[float, Meta(gt=0, le=100)] = 3.0
    max_days: Positive = 10
    risk_percent: Annotated[Percent, Meta(description="Equity risked between entry and stop.")] = (
        0.3
    )
    max_position_percent: Percent = 4.5
    allow_short: bool = False

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be shorter than slow ({self.slow})")


class BuyAndHold(StrategyBase, tag_field="kind", tag="buy_and_hold", frozen=True, kw_only=True):
    """Buy (or short) on the first bar and hold: the yardstick every strategy is compared with."""

    quantity: Annotated[
        int | None, Meta(description="Shares per symbol; None: equity divided equally.")
    ] = None
    short: bool = False


class CustomStrategy(StrategyBase, tag_field="kind", tag="custom", frozen=True, kw_only=True):
    """Your own class, named by import path; `params` decodes into its own config struct."""

    path: Annotated[
        str,
        Meta(pattern=r"^[\w.]+:\w+$", description="package.module:ClassName, importable here."),
    ]
    params: dict[str, Any] = {}


StrategyConfig = EmaCross | IntradayMeanReversion | SwingTrend | BuyAndHold | CustomStrategy
