"""Group `strategy`: which strategy runs, with its parameters."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from tradingd.config.base import Group, Level, Minutes, Percent, Period, Positive

Bars = Annotated[
    Literal["1s", "1m", "1h", "1d"], Meta(description="Resolution of the bars it trades on.")
]


class ModelUse(Group, frozen=True, kw_only=True):
    """What a strategy does with the opinion of the served model."""

    min_confidence: Annotated[
        float,
        Meta(ge=0, le=1, description="Probability of being right that an entry needs."),
    ] = 0.55
    size_by_confidence: Annotated[
        bool,
        Meta(description="Enter with fewer shares the less sure the model is; never with more."),
    ] = False
    tighten_stops: Annotated[
        bool,
        Meta(description="Put the stop nearer the less sure the model is; never farther."),
    ] = False
    when_abstaining: Annotated[
        Literal["wait", "trade"],
        Meta(description="Without an opinion: no entry, or by the rules alone."),
    ] = "wait"


class StrategyBase(Group, frozen=True, kw_only=True):
    """What every strategy states."""

    bars: Bars = "1d"
    use_model: Annotated[
        ModelUse | None, Meta(description="How the served model is asked; none: it is not.")
    ] = None


class EmaCross(StrategyBase, tag_field="kind", tag="ema_cross", frozen=True, kw_only=True):
    """Long while the fast average is above the slow one, flat otherwise."""

    bars: Bars = "1m"
    fast: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Length of the fast EMA.", extra={"unit": "bars"}),
    ] = 20
    slow: Annotated[
        int,
        Meta(ge=2, le=10_000, description="Length of the slow EMA.", extra={"unit": "bars"}),
    ] = 100
    quantity: Annotated[
        Positive, Meta(description="Shares of every entry.", extra={"unit": "shares"})
    ] = 100

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be shorter than slow ({self.slow})")


class IntradayMeanReversion(
    StrategyBase, tag_field="kind", tag="intraday_mean_reversion", frozen=True, kw_only=True
):
    """Fade stretches from the session VWAP that RSI confirms; flat by the end of the day."""

    bars: Bars = "1m"
    z_entry: Annotated[
        float,
        Meta(
            gt=0,
            le=20,
            description="Distance from VWAP that opens a position.",
            extra={"unit": "standard deviations"},
        ),
    ] = 2.0
    z_exit: Annotated[
        float,
        Meta(
            ge=0,
            le=20,
            description="Distance from VWAP within which it is closed.",
            extra={"unit": "standard deviations"},
        ),
    ] = 0.5
    z_window: Annotated[
        int,
        Meta(
            ge=5,
            le=10_000,
            description="Bars the standard deviation is taken over.",
            extra={"unit": "bars"},
        ),
    ] = 30
    rsi_period: Annotated[Period, Meta(description="Length of the RSI.")] = 14
    rsi_oversold: Annotated[
        Level, Meta(description="RSI at or below which a long entry counts.")
    ] = 30.0
    rsi_overbought: Annotated[
        Level, Meta(description="RSI at or above which a short entry counts.")
    ] = 70.0
    atr_period: Annotated[Period, Meta(description="Length of the average true range.")] = 14
    stop_atr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Protective stop's distance.",
            extra={"unit": "average ranges"},
        ),
    ] = 1.5
    risk_percent: Annotated[Percent, Meta(description="Equity risked between entry and stop.")] = (
        0.2
    )
    max_position_percent: Annotated[
        Percent, Meta(description="Largest value of one position, of equity.")
    ] = 4.5
    allow_short: Annotated[bool, Meta(description="Whether it may sell short.")] = True
    flatten_minutes: Annotated[
        Minutes, Meta(description="Close everything this many minutes before the session close.")
    ] = 10

    def __post_init__(self) -> None:
        if self.z_exit >= self.z_entry:
            raise ValueError(f"z_exit ({self.z_exit}) must be below z_entry ({self.z_entry})")


class SwingTrend(StrategyBase, tag_field="kind", tag="swing_trend", frozen=True, kw_only=True):
    """Enter pull-backs inside an EMA trend that ADX confirms; trail by ATR; hold 1-10 days."""

    fast: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Length of the fast EMA.", extra={"unit": "bars"}),
    ] = 20
    slow: Annotated[
        int,
        Meta(ge=2, le=10_000, description="Length of the slow EMA.", extra={"unit": "bars"}),
    ] = 50
    adx_period: Annotated[Period, Meta(description="Length of the ADX.")] = 14
    adx_min: Annotated[Level, Meta(description="ADX above which the trend counts.")] = 20.0
    atr_period: Annotated[Period, Meta(description="Length of the average true range.")] = 14
    trail_atr: Annotated[
        float,
        Meta(
            gt=0, le=100, description="Trailing stop's distance.", extra={"unit": "average ranges"}
        ),
    ] = 3.0
    max_days: Annotated[
        Positive,
        Meta(description="Sessions after which a position is closed.", extra={"unit": "sessions"}),
    ] = 10
    max_positions: Annotated[
        Positive,
        Meta(
            description="Positions held at once; the strongest trends (ADX) enter first.",
            extra={"unit": "positions"},
        ),
    ] = 12
    risk_percent: Annotated[Percent, Meta(description="Equity risked between entry and stop.")] = (
        0.3
    )
    max_position_percent: Annotated[
        Percent, Meta(description="Largest value of one position, of equity.")
    ] = 4.5
    allow_short: Annotated[bool, Meta(description="Whether it may sell short.")] = False

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be shorter than slow ({self.slow})")


class ModelSignal(StrategyBase, tag_field="kind", tag="model_signal", frozen=True, kw_only=True):
    """Trade the model's own opinion: hold the surest symbols for so many bars, behind a stop."""

    use_model: Annotated[ModelUse, Meta(description="How the served model is asked.")] = ModelUse()
    hold_bars: Annotated[
        Positive,
        Meta(
            description="Bars after which a position is closed; the label's horizon is the honest "
            "choice.",
            extra={"unit": "bars"},
        ),
    ] = 5
    extend: Annotated[
        bool,
        Meta(description="Hold on past that while the model would enter again in the same sense."),
    ] = False
    max_positions: Annotated[
        Positive,
        Meta(
            description="Positions held at once; the surest enter first.",
            extra={"unit": "positions"},
        ),
    ] = 10
    atr_period: Annotated[Period, Meta(description="Length of the average true range.")] = 14
    stop_atr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Protective stop's distance.",
            extra={"unit": "average ranges"},
        ),
    ] = 3.0
    risk_percent: Annotated[Percent, Meta(description="Equity risked between entry and stop.")] = (
        0.3
    )
    max_position_percent: Annotated[
        Percent, Meta(description="Largest value of one position, of equity.")
    ] = 4.5
    allow_short: Annotated[bool, Meta(description="Whether it may sell short.")] = False
    flatten_minutes: Annotated[
        Minutes,
        Meta(
            description="Intraday bars: enter no more and close everything this many minutes before"
            " the session close; 0 holds over night."
        ),
    ] = 0

    def __post_init__(self) -> None:
        if self.use_model.when_abstaining == "trade":
            raise ValueError("use_model.when_abstaining: there are no rules to trade by; wait")


class BuyAndHold(StrategyBase, tag_field="kind", tag="buy_and_hold", frozen=True, kw_only=True):
    """Buy (or short) on the first bar and hold: the yardstick every strategy is compared with."""

    quantity: Annotated[
        Positive | None,
        Meta(
            description="Shares per symbol; None: equity divided equally.", extra={"unit": "shares"}
        ),
    ] = None
    short: Annotated[bool, Meta(description="Sell short instead of buying.")] = False


class BookImbalance(
    StrategyBase, tag_field="kind", tag="book_imbalance", frozen=True, kw_only=True
):
    """Follow the imbalance of the best queues of the order book; needs a backtest over books."""

    levels: Annotated[
        int,
        Meta(ge=1, le=50, description="Levels a side whose shares are weighed."),
    ] = 3
    enter: Annotated[
        float,
        Meta(gt=0, le=1, description="Imbalance, from -1 to 1, that opens a position."),
    ] = 0.6
    leave: Annotated[
        float,
        Meta(ge=0, lt=1, description="Imbalance in its direction at which it is closed."),
    ] = 0.0
    quantity: Annotated[
        Positive, Meta(description="Shares of every entry.", extra={"unit": "shares"})
    ] = 100
    entry: Annotated[
        Literal["passive", "aggressive"],
        Meta(description="Join the best queue with a limit, or take the other side at market."),
    ] = "passive"
    wait_seconds: Annotated[
        Positive,
        Meta(
            description="Time after which a passive entry is cancelled.", extra={"unit": "seconds"}
        ),
    ] = 10
    hold_seconds: Annotated[
        Positive,
        Meta(
            description="Time from the entry's decision after which it is closed.",
            extra={"unit": "seconds"},
        ),
    ] = 60
    stop_bps: Annotated[
        float,
        Meta(
            gt=0,
            le=5_000,
            description="Protective stop's distance from the best price of the entry's side.",
            extra={"unit": "basis points"},
        ),
    ] = 50.0
    max_spread_bps: Annotated[
        float,
        Meta(gt=0, description="Widest spread it enters in.", extra={"unit": "basis points"}),
    ] = 20.0
    allow_short: Annotated[bool, Meta(description="Whether it may sell short.")] = True
    flatten_minutes: Annotated[
        Minutes, Meta(description="Close everything this many minutes before the session close.")
    ] = 10

    def __post_init__(self) -> None:
        if self.leave >= self.enter:
            raise ValueError(f"leave ({self.leave}) must be below enter ({self.enter})")


class CustomStrategy(StrategyBase, tag_field="kind", tag="custom", frozen=True, kw_only=True):
    """Your own class, named by import path; `params` decodes into its own config struct."""

    path: Annotated[
        str,
        Meta(pattern=r"^[\w.]+:\w+$", description="package.module:ClassName, importable here."),
    ]
    params: Annotated[
        dict[str, Any], Meta(description="Passed to the class's own settings struct.")
    ] = {}


OneStrategy = (
    EmaCross
    | IntradayMeanReversion
    | SwingTrend
    | BuyAndHold
    | BookImbalance
    | ModelSignal
    | CustomStrategy
)


class SeveralStrategies(StrategyBase, tag_field="kind", tag="several", frozen=True, kw_only=True):
    """Several strategies on one account; each symbol is held by one of them at a time."""

    bars: Bars = "1m"
    members: Annotated[
        dict[str, OneStrategy],
        Meta(
            min_length=1,
            description="Strategies by a name of your own, all on the same bars, each kind once.",
        ),
    ] = {}

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("members names no strategy")
        kinds = [kind_of(one) for one in self.members.values()]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"{kind} is among the members twice; each kind may be there once")
        for name, one in self.members.items():
            if one.bars != self.bars:
                raise ValueError(
                    f"members.{name} trades on {one.bars} bars, the others on {self.bars}: "
                    f"state members.{name}.bars={self.bars}"
                )


StrategyConfig = OneStrategy | SeveralStrategies


def kind_of(strategy: StrategyConfig) -> str:
    """Return the kind of a strategy; a custom one is named by its class."""
    if isinstance(strategy, CustomStrategy):
        return strategy.path.rpartition(":")[2]
    return str(strategy.__struct_config__.tag)


def members(strategy: StrategyConfig) -> tuple[OneStrategy, ...]:
    """Return the strategies that run: one, or the members of several."""
    if isinstance(strategy, SeveralStrategies):
        return tuple(strategy.members.values())
    return (strategy,)
