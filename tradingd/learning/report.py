"""Everything a training found out: what the page is drawn from and the manifest is filled with."""

import datetime as dt
from typing import Any

import msgspec


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its bootstrap interval at 95 %; None where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from.

    `fingerprint` is a hash of features, labels and times of every row; `dropped` counts bars that
    became no row, by the reason.
    """

    symbols: int
    rows: int
    sessions: int
    first_day: dt.date
    last_day: dt.date
    features: tuple[str, ...]
    features_hash: str
    fingerprint: str
    label: str
    positive_share: float | None
    missing_share: float
    dropped: dict[str, int] = {}


class FoldFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the walk-forward; days are inclusive.

    `purged` counts rows between two windows that nobody used, since their labels overlap.
    `inside` and `outside` are the score on validation and test rows (AUC, rank correlation).
    """

    number: int
    train: tuple[dt.date, dt.date]
    validation: tuple[dt.date, dt.date]
    test: tuple[dt.date, dt.date]
    rows: tuple[int, int, int]
    purged: int
    trees: int
    inside: float | None
    outside: float | None


class TrialFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One model that was tried; `sharpe` is per session, of its out-of-fold long/short series."""

    number: int
    parameters: dict[str, Any]
    score: float | None
    sharpe: float | None
    seconds: float = 0.0


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: share of gain, mean absolute SHAP value, and how its gain varies over folds."""

    name: str
    gain_share: float
    mean_abs_shap: float
    gain_low: float
    gain_high: float
    drift_psi: float | None = None


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of similar predicted probability, out of sample."""

    predicted: float
    observed: float
    rows: int


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Equity over days, the judge's or one to compare with."""

    name: str
    days: tuple[dt.date, ...]
    equity: tuple[float, ...]


class Overfitting(msgspec.Struct, frozen=True, kw_only=True):
    """How far the result may be luck; None where it is undefined, `why` says what for.

    `pbo_loss` is the share of halvings in which the chosen trial lost on the other half.
    """

    trials: int
    pbo: float | None
    pbo_loss: float | None
    pbo_logits: tuple[float, ...]
    expected_maximum_sharpe: float | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    minimum_track_record: float | None
    sessions: int
    path_sharpes: tuple[float, ...]
    stability: float | None
    why: tuple[str, ...] = ()


class ClauseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One clause of a rule, with the values it looked at; `passed` None: unknown, so not passed.

    Clauses of a rule with the same `either` above 0 are alternatives: one of them is enough.
    """

    rule: str
    clause: str
    values: dict[str, Any]
    passed: bool | None
    reason: str = ""
    either: int = 0


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """The judge's days of one kind."""

    name: str
    sessions: int
    sharpe: float | None
    total_return: float


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that looks as if it knew the future, with the numbers that say so."""

    feature: str
    why: str
    skill: float


class TrainingReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    `scores` are of the out-of-sample predictions; `judged` of the backtest that traded them, after
    costs; `run` names its folder. `drift` is the index of every feature, `drift_psi` their mean,
    weighted by gain. `clauses` are the gates' answer; `passed` only if all are true. `repeat` is
    the command that trains again, empty where no command did; `config_hash` of its configuration.
    """

    name: str
    version: str
    task: str
    learner: str
    seed: int
    data: DataFacts
    folds: tuple[FoldFacts, ...]
    trials: tuple[TrialFacts, ...]
    scores: dict[str, Interval]
    judged: dict[str, Interval]
    strategy: str
    run: str
    curves: tuple[Curve, ...]
    overfitting: Overfitting
    importances: tuple[Importance, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float | None
    coverage: tuple[float, float] | None
    drift: dict[str, float]
    drift_psi: float | None
    importance_stability: float | None
    regimes: tuple[Regime, ...]
    leaks: tuple[Leak, ...]
    canary: str
    canary_noticed: bool
    latency_p99_us: float | None
    clauses: tuple[ClauseFacts, ...]
    passed: bool
    notes: tuple[str, ...] = ()
    config_hash: str = ""
    repeat: str = ""
