"""Put everything a training found out into its report."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from tradingd.app.modelling import drifting, walked
from tradingd.app.modelling.curves import equal_weight
from tradingd.app.modelling.judge import Judgement
from tradingd.app.modelling.noting import cold_start, stumps, why_no_trade
from tradingd.app.modelling.overfitting import overfitting
from tradingd.app.modelling.regimes import regimes
from tradingd.app.modelling.rows import Rows, data_facts, market
from tradingd.app.modelling.search import Searched
from tradingd.config.load import Loaded
from tradingd.learning.calibrate import outcome
from tradingd.learning.conformal import covered
from tradingd.learning.dataset import Dataset
from tradingd.learning.explain import importance_stability, importances
from tradingd.learning.leak import Examination, Proof
from tradingd.learning.paths import PathsResult
from tradingd.learning.report import (
    CalibrationBin,
    Curve,
    Importance,
    TrainingReport,
)
from tradingd.learning.scores import calibration_bins, measure
from tradingd.learning.walk import FinalModel, WalkResult
from tradingd.luck.drift import Reference
from tradingd.luck.sharpe import SESSIONS_PER_YEAR
from tradingd.registry.trials import Trials


class Learned(NamedTuple):
    """What the steps of a training came to.

    `alone` is None where there are no rules, `proof` for a placebo: there is nothing to notice.
    """

    examined: Examination
    proof: Proof | None
    searched: Searched
    walk: WalkResult
    judged: Judgement
    alone: Judgement | None
    paths: PathsResult
    final: FinalModel
    reference: Reference
    trials: Trials


def report_of(loaded: Loaded, rows: Rows, learned: Learned, repeat: str) -> TrainingReport:
    """Return the report, but for the served model's latency and the gates' answer."""
    training, dataset = loaded.config.training, rows.dataset
    walk, judged = learned.walk, learned.judged
    predicted = dataset.take(walk.rows)
    market_days, market_returns = market(rows.frame)
    drift = drifting.drift(learned.reference, dataset.x[drifting.latest_rows(dataset)])
    shares = _importances(learned, dataset, drift)
    scores = measure(
        training.task, predicted, walk.score, walk.probability, seed=loaded.config.seed
    )
    error = scores.get("calibration_error")
    return TrainingReport(
        name=training.name,
        version="",
        task=training.task,
        learner=str(training.learner.__struct_config__.tag),
        seed=loaded.config.seed,
        data=data_facts(rows, training),
        folds=walked.fold_facts(walk),
        trials=learned.searched.trials,
        scores=scores,
        judged=judged.metrics,
        strategy=judged.strategy,
        run=judged.run,
        curves=_curves(learned, equal_weight(judged.days, market_days, market_returns)),
        overfitting=overfitting(
            judged.returns,
            trial_returns=learned.searched.returns,
            trials=learned.searched.trials,
            every_sharpe=learned.trials.sharpes,
            count=learned.trials.count,
            paths=[
                one * SESSIONS_PER_YEAR**0.5 for one in learned.paths.sharpes if one is not None
            ],
        ),
        importances=shares,
        calibration=_calibration(loaded, walk, predicted),
        calibration_error=None if error is None else error.value,
        coverage=_coverage(loaded, walk, predicted),
        drift=drift,
        drift_psi=drifting.weighted(
            drift,
            tuple(one.name for one in shares),
            np.array([one.gain_share for one in shares]),
        ),
        importance_stability=importance_stability(walk.gains()),
        regimes=regimes(judged.days, judged.returns, market_days, market_returns),
        leaks=learned.examined.leaks,
        canary=_canary(learned),
        canary_noticed=learned.examined.noticed
        and (learned.proof is None or learned.proof.noticed),
        latency_p99_us=None,
        clauses=(),
        passed=False,
        notes=tuple(_notes(loaded, learned)),
        config_hash=loaded.hash,
        repeat=repeat,
    )


def _importances(
    learned: Learned, dataset: Dataset, drift: dict[str, float]
) -> tuple[Importance, ...]:
    found = importances(
        learned.final.fitted, dataset.x[learned.walk.rows], dataset.names, learned.walk.gains()
    )
    return tuple(msgspec.structs.replace(one, drift_psi=drift[one.name]) for one in found)


def _curves(learned: Learned, market_curve: Curve) -> tuple[Curve, ...]:
    alone = () if learned.alone is None else (learned.alone.curve,)
    return (learned.judged.curve, *alone, market_curve)


def _calibration(
    loaded: Loaded, walk: WalkResult, predicted: Dataset
) -> tuple[CalibrationBin, ...]:
    known = np.isfinite(walk.probability)
    if not known.any():
        return ()
    happened = outcome(loaded.config.training.task, predicted)
    return calibration_bins(walk.probability[known], happened[known], predicted.weight[known])


def _coverage(loaded: Loaded, walk: WalkResult, predicted: Dataset) -> tuple[float, float] | None:
    bounded = np.isfinite(walk.low) & np.isfinite(walk.high)
    if not bounded.any():
        return None
    stated = loaded.config.training.coverage_percent / 100
    return stated, covered(walk.low[bounded], walk.high[bounded], predicted.y[bounded])


def _canary(learned: Learned) -> str:
    said = learned.examined.canary
    return said if learned.proof is None else f"{said}. And {learned.proof.words}"


def _notes(loaded: Loaded, learned: Learned) -> Iterator[str]:
    yield from learned.final.notes
    if not np.any(learned.final.fitted.gains()):
        yield "the model that is served found nothing to split: it gives every row the same score"
    yield from stumps(learned.walk.steps, loaded.config.training.learner.min_rows)
    yield from why_no_trade(loaded.config.strategy, learned.judged, learned.walk.probability)
    yield from cold_start(loaded.config.strategy, learned.judged)
    if loaded.config.training.placebo:
        yield "placebo: the labels were shuffled, nothing true can have been learned"
    if learned.alone is not None:
        earned = learned.alone.metrics["net_return_percent"].value
        words = "nothing that can be told" if earned is None else f"{earned:.2f} %"
        yield f"the same days by the rules alone: {words} ({learned.alone.run})"
    if learned.examined.constant:
        names = ", ".join(learned.examined.constant)
        yield f"never changed on these rows, so nothing is known of them: {names}"
