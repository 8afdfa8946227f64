"""Reports of trainings that never were, for tests of what draws them."""

import datetime as dt
from typing import Any

import msgspec
import numpy as np

from tradingd.learning.report import (
    CalibrationBin,
    ClauseFacts,
    Curve,
    DataFacts,
    FoldFacts,
    Importance,
    Interval,
    Leak,
    Overfitting,
    Regime,
    TrainingReport,
    TrialFacts,
)

FIRST = dt.date(2015, 1, 5)


def made_report(**more: Any) -> TrainingReport:
    """A refused classification with everything a report can have; `more` replaces fields."""
    names = tuple(f"feature_{number}" for number in range(6))
    whole = TrainingReport(
        name="made",
        version="3",
        task="classification",
        learner="lightgbm",
        seed=7,
        data=_data(names),
        folds=tuple(made_fold(number) for number in range(4)),
        trials=tuple(_trial(number) for number in range(5)),
        scores={
            "auc": Interval(value=0.53, low=0.49, high=0.57),
            "rank_ic": Interval(value=0.03, low=0.01, high=0.05),
            "log_loss": Interval(value=0.69, low=0.68, high=0.7),
            "calibration_error": Interval(value=0.04, low=0.02, high=0.06),
        },
        judged={
            "sharpe": Interval(value=0.8, low=-0.1, high=1.7),
            "net_return_percent": Interval(value=4.0),
            "trades": Interval(value=120.0),
            "win_rate": Interval(value=0.51),
        },
        strategy="swing_trend_ml",
        run="run-1",
        curves=tuple(_curve(one) for one in ("with the model", "rules alone", "all alike")),
        overfitting=_luck(),
        importances=tuple(_importance(number, name) for number, name in enumerate(names)),
        calibration=tuple(
            CalibrationBin(predicted=0.1 * one, observed=0.08 * one + 0.1, rows=100 * one)
            for one in range(3, 8)
        ),
        calibration_error=0.04,
        coverage=(0.9, 0.87),
        drift={name: 0.08 * number for number, name in enumerate(names)},
        drift_psi=0.3,
        importance_stability=0.5,
        regimes=(
            Regime(name="calm market", sessions=40, sharpe=1.1, total_return=0.02),
            Regime(name="2015", sessions=12, sharpe=None, total_return=-0.01),
        ),
        leaks=(Leak(feature="feature_5", why="foretells the next bar", skill=0.4),),
        canary="a planted column was noticed",
        canary_noticed=True,
        latency_p99_us=12.5,
        clauses=made_clauses(),
        passed=False,
        notes=("stopped early",),
        config_hash="c" * 64,
        repeat="tradingd model train seed=7",
    )
    return msgspec.structs.replace(whole, **more)


def made_clauses() -> tuple[ClauseFacts, ...]:
    """One that holds, one that does not, one unknown, and two alternatives that do not hold."""
    return (
        made_clause("metrics.net_return_percent > 0", 4.0, passed=True),
        made_clause("metrics.sharpe > 1", 0.8, passed=False),
        ClauseFacts(
            rule="promotion",
            clause="metrics.win_rate > 0.45",
            values={},
            passed=None,
            reason="metrics.win_rate is missing",
        ),
        made_clause("metrics.pbo <= 0.2", 0.4, passed=False, either=1),
        made_clause("metrics.pbo_loss <= 0.05", 0.3, passed=False, either=1),
    )


def made_clause(clause: str, value: Any, *, passed: bool | None, either: int = 0) -> ClauseFacts:
    """A clause that looked at its left side."""
    looked = {clause.split()[0]: value}
    return ClauseFacts(rule="promotion", clause=clause, values=looked, passed=passed, either=either)


def made_fold(number: int) -> FoldFacts:
    """A step whose windows are two days apart."""

    def days(first: int, last: int) -> tuple[dt.date, dt.date]:
        start = FIRST + dt.timedelta(days=20 * number)
        return start + dt.timedelta(days=first), start + dt.timedelta(days=last)

    return FoldFacts(
        number=number,
        train=days(0, 99),
        validation=days(102, 119),
        test=days(122, 141),
        rows=(1000, 200, 200),
        purged=40,
        trees=12,
        inside=0.55 + 0.01 * number,
        outside=0.49 + 0.01 * number,
    )


def undefined_report() -> TrainingReport:
    """A report in which everything that may be missing is."""
    return made_report(
        data=msgspec.structs.replace(made_report().data, positive_share=None, dropped={}),
        folds=(),
        trials=(),
        scores={},
        judged={
            "sharpe": Interval(value=None),
            "win_rate": Interval(value=None),
            "trades": Interval(value=0.0),
        },
        curves=(),
        overfitting=Overfitting(
            trials=0,
            pbo=None,
            pbo_loss=None,
            pbo_logits=(),
            expected_maximum_sharpe=None,
            probabilistic_sharpe=None,
            deflated_sharpe=None,
            minimum_track_record=None,
            sessions=0,
            path_sharpes=(),
            stability=None,
            why=("PBO: needs two trials at least", "deflated Sharpe: needs two trials"),
        ),
        importances=(),
        calibration=(),
        calibration_error=None,
        coverage=None,
        drift={},
        drift_psi=None,
        importance_stability=None,
        regimes=(),
        leaks=(),
        canary="",
        canary_noticed=False,
        latency_p99_us=None,
        clauses=(),
        notes=(),
        config_hash="",
        repeat="",
    )


def _data(names: tuple[str, ...]) -> DataFacts:
    return DataFacts(
        symbols=20,
        rows=5_000,
        sessions=250,
        first_day=FIRST,
        last_day=FIRST + dt.timedelta(days=365),
        features=names,
        features_hash="a" * 64,
        fingerprint="b" * 64,
        label="forward_return(bars=5)",
        positive_share=0.52,
        missing_share=0.01,
        dropped={"warming_up": 700, "no_label": 30},
    )


def _trial(number: int) -> TrialFacts:
    return TrialFacts(
        number=number,
        parameters={"depth": 2 + number, "patience": 25},
        score=0.5 + 0.01 * number,
        sharpe=0.01 * number,
    )


def _curve(name: str) -> Curve:
    steps = np.random.default_rng(len(name)).normal(0.0003, 0.01, 60)
    days = tuple(FIRST + dt.timedelta(days=one) for one in range(60))
    return Curve(name=name, days=days, equity=tuple(np.cumprod(1 + steps).tolist()))


def _luck() -> Overfitting:
    logits = np.random.default_rng(1).normal(0.3, 1, 500).round(4)
    return Overfitting(
        trials=9,
        pbo=0.4,
        pbo_loss=0.3,
        pbo_logits=tuple(logits.tolist()),
        expected_maximum_sharpe=0.06,
        probabilistic_sharpe=0.9,
        deflated_sharpe=0.55,
        minimum_track_record=900.4,
        sessions=60,
        path_sharpes=(0.4, 0.9, 1.4),
        stability=0.7,
    )


def _importance(number: int, name: str) -> Importance:
    share = (6 - number) / 21
    return Importance(
        name=name,
        gain_share=share,
        mean_abs_shap=0.01 * (6 - number),
        gain_low=share / 2,
        gain_high=share * 1.5,
        drift_psi=0.08 * number,
    )
