"""Group `training`: how a model is made and judged."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Percent, Period, Positive

Horizon = Annotated[
    int,
    Meta(ge=1, le=10_000, description="Bars the label looks ahead.", extra={"unit": "bars"}),
]
Multiple = Annotated[float, Meta(gt=0, le=100, extra={"unit": "deviations"})]


class ForwardReturn(Group, tag_field="kind", tag="forward_return", frozen=True, kw_only=True):
    """Log return from this close to the close some bars on."""

    bars: Horizon = 5
    threshold_bps: Annotated[
        float,
        Meta(
            ge=0,
            le=10_000,
            description="A classification counts a return above it as up.",
            extra={"unit": "basis points"},
        ),
    ] = 0.0
    relative: Annotated[
        bool,
        Meta(
            description="Less the mean of all symbols at that moment: which do better than the "
            "market, not when the market rises: a year has few independent days to learn that."
        ),
    ] = False


class VolatilityScaled(Group, tag_field="kind", tag="volatility_scaled", frozen=True, kw_only=True):
    """That return over the volatility known at its start."""

    bars: Horizon = 5
    window: Annotated[Period, Meta(description="Returns the volatility is taken over.")] = 21


class TripleBarrier(Group, tag_field="kind", tag="triple_barrier", frozen=True, kw_only=True):
    """Which of three is reached first: a profit, a loss, the end of the time."""

    bars: Horizon = 10
    up: Annotated[Multiple, Meta(description="Upper barrier, in deviations of that many bars.")] = (
        1.0
    )
    down: Annotated[Multiple, Meta(description="Lower barrier, likewise.")] = 1.0
    window: Annotated[Period, Meta(description="Returns the deviation is taken over.")] = 21


class MetaLabel(Group, tag_field="kind", tag="meta", frozen=True, kw_only=True):
    """Whether a rule's own signal was right, by the three barriers; rows are its signals only."""

    rule: Annotated[
        Literal["swing_trend", "intraday_mean_reversion", "ema_cross"],
        Meta(description="Whose signals are judged; with the settings of its strategy option."),
    ] = "swing_trend"
    bars: Horizon = 10
    up: Annotated[Multiple, Meta(description="Profit taken, in deviations of that many bars.")] = (
        1.0
    )
    down: Annotated[Multiple, Meta(description="Loss taken, likewise.")] = 1.0
    window: Annotated[Period, Meta(description="Returns the deviation is taken over.")] = 21


LabelConfig = ForwardReturn | VolatilityScaled | TripleBarrier | MetaLabel


class Learner(Group, frozen=True, kw_only=True):
    """What every learner of trees states."""

    trees: Annotated[
        int, Meta(ge=1, le=5_000, description="Most trees; early stopping may keep fewer.")
    ] = 200
    depth: Annotated[int, Meta(ge=1, le=16, description="Deepest a tree may grow.")] = 5
    min_rows: Annotated[Positive, Meta(description="Least rows of a leaf.")] = 200
    feature_share: Annotated[
        float, Meta(gt=0, le=1, description="Share of the features a tree may look at.")
    ] = 0.7
    row_share: Annotated[
        float, Meta(gt=0, le=1, description="Share of the rows a tree is grown on.")
    ] = 0.7
    monotone: Annotated[
        dict[str, Literal[-1, 1]],
        Meta(description="Features whose effect may only rise (1) or only fall (-1)."),
    ] = {}
    device: Annotated[
        Literal["cpu", "gpu"],
        Meta(description="gpu falls back to cpu where there is none, and says so."),
    ] = "cpu"


class Boosting(Learner, frozen=True, kw_only=True):
    """What boosted trees state."""

    learning_rate: Annotated[float, Meta(gt=0, le=1, description="Shrinkage of a tree.")] = 0.05
    l2: Annotated[float, Meta(ge=0, description="Penalty on squared leaf values.")] = 1.0
    patience: Annotated[
        Count,
        Meta(description="Trees without gain on the validation days before it stops; 0: never."),
    ] = 25


class LightGbm(Boosting, tag_field="kind", tag="lightgbm", frozen=True, kw_only=True):
    """Gradient boosting by LightGBM."""

    leaves: Annotated[int, Meta(ge=2, le=1_024, description="Most leaves of a tree.")] = 15


class XgBoost(Boosting, tag_field="kind", tag="xgboost", frozen=True, kw_only=True):
    """Gradient boosting by XGBoost."""


class Forest(Learner, tag_field="kind", tag="forest", frozen=True, kw_only=True):
    """A random forest (LightGBM's), so that nothing needs unpickling."""

    leaves: Annotated[int, Meta(ge=2, le=4_096, description="Most leaves of a tree.")] = 63


LearnerConfig = LightGbm | XgBoost | Forest


class WalkForward(Group, frozen=True, kw_only=True):
    """Train on some sessions, stop and calibrate on the next, predict the next; move on.

    Every predicted session is predicted once, by a model that saw none of it.
    """

    train: Annotated[
        Positive, Meta(description="Sessions trained on.", extra={"unit": "sessions"})
    ] = 252
    validation: Annotated[
        Positive,
        Meta(
            description="Sessions after them, for stopping and calibration.",
            extra={"unit": "sessions"},
        ),
    ] = 63
    test: Annotated[
        Positive,
        Meta(
            description="Sessions predicted, then the windows move by as many.",
            extra={"unit": "sessions"},
        ),
    ] = 21
    expanding: Annotated[bool, Meta(description="Train on all sessions so far.")] = False


class Tuning(Group, frozen=True, kw_only=True):
    """Search of the learner's parameters, inside purged folds; every trial is counted."""

    trials: Annotated[Count, Meta(description="Models tried; 0: the learner as stated.")] = 10
    folds: Annotated[int, Meta(ge=2, le=20, description="Purged folds of a trial.")] = 4
    embargo_percent: Annotated[
        Percent, Meta(description="Share of the rows after a test fold that nobody trains on.")
    ] = 1.0


class Combinatorial(Group, frozen=True, kw_only=True):
    """Combinatorial purged cross-validation: many out-of-sample paths from one history."""

    groups: Annotated[int, Meta(ge=3, le=16, description="Parts the sessions are cut into.")] = 6
    test_groups: Annotated[int, Meta(ge=1, le=8, description="Parts tested at once.")] = 2


class Gates(Group, frozen=True, kw_only=True):
    """What a model must pass."""

    rules: Annotated[
        tuple[str, ...],
        Meta(
            description="Rules of contracts/rules by name, or paths of rule files; all must pass."
        ),
    ] = ("promotion", "champion", "sound")


class TrainingConfig(Group, frozen=True, kw_only=True):
    """How a model is made and judged."""

    name: Annotated[
        str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Name in the registry.")
    ] = "swing"
    start: Annotated[
        dt.date | None, Meta(description="First day of data; none: as far as the store goes back.")
    ] = None
    end: Annotated[dt.date | None, Meta(description="Last day of data; none: all.")] = None
    task: Annotated[
        Literal["classification", "regression", "ranking"],
        Meta(description="What is learned: up or not, how far, or which before which on one day."),
    ] = "classification"
    label: LabelConfig = ForwardReturn()
    learner: LearnerConfig = LightGbm()
    walk_forward: WalkForward = WalkForward()
    tuning: Tuning = Tuning()
    combinatorial: Combinatorial = Combinatorial()
    gates: Gates = Gates()
    weights: Annotated[
        Literal["uniqueness", "none"],
        Meta(description="uniqueness: rows whose labels overlap others count less."),
    ] = "uniqueness"
    calibration: Annotated[
        Literal["platt", "isotonic", "none"],
        Meta(description="How scores become probabilities, on the validation days."),
    ] = "platt"
    coverage_percent: Annotated[
        float,
        Meta(
            gt=50,
            lt=100,
            description="Conformal intervals cover this share.",
            extra={"unit": "percent"},
        ),
    ] = 90.0
    nightly: Annotated[
        bool,
        Meta(
            description="Let the job of 02:00 train anew; what it makes predicts in the shadow of "
            "the model in production until a person promotes it."
        ),
    ] = False
    placebo: Annotated[
        bool,
        Meta(
            description="Shuffle the labels among the symbols of each session: an honest training "
            "then finds nothing. Such a model is never registered."
        ),
    ] = False
    valid_days: Annotated[
        Positive, Meta(description="Days until a model expires.", extra={"unit": "days"})
    ] = 45
    workers: Annotated[Positive, Meta(description="Folds trained at once.")] = 2
    launcher: Annotated[
        Literal["joblib", "ray"],
        Meta(description="Who runs the folds: this machine, or a Ray cluster."),
    ] = "joblib"
