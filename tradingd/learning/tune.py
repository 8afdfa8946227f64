"""Search of a learner's parameters inside purged folds; every model that was tried is told.

Tree-structured Parzen estimator: Bergstra et al. (2011), "Algorithms for Hyper-Parameter
Optimization"; Optuna's, seeded, one trial after the other (its folds run side by side), without
pruning: a trial that is cut short has no returns, and luck is measured on all of them.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import numpy as np

from tradingd.config.training import Forest, LearnerConfig, LightGbm, TrainingConfig
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.portfolio import horizon_sessions, long_short, session_sharpe
from tradingd.learning.splits import purged_k_fold
from tradingd.learning.trial import FoldScore, TrialResult, score_fold
from tradingd.learning.workers import Workers, workers_of
from tradingd.learning.workload import Job, Workload

WORST: Final = -1.0
"""What the search is told where a trial's score is undefined: below any AUC or correlation."""


class TuneResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The best learner and all that were tried, the stated one first."""

    best: LearnerConfig
    trials: tuple[TrialResult, ...]

    def returns(self) -> Floats:
        """Return the series of all trials side by side, shape (sessions, trials)."""
        return np.stack([one.returns for one in self.trials], axis=1)


def tune(
    dataset: Dataset,
    training: TrainingConfig,
    seed: int,
    on_trial: Callable[[TrialResult], None] = lambda _trial: None,
) -> TuneResult:
    """Try `training.tuning.trials` learners, the stated one first, and return the best.

    Only rows of `dataset` are looked at: give those that the final judge will not use, or count
    on the trials being held against the result (deflated Sharpe ratio, PBO).

    Parameters
    ----------
    dataset : Dataset
    training : TrainingConfig
        Task, learner, folds, workers and launcher.
    seed : int
        Of the search and of every model.
    on_trial : callable
        Hears of each trial as soon as it is over.
    """
    if training.tuning.trials == 0:
        return TuneResult(best=training.learner, trials=())
    tuning = training.tuning
    folds = purged_k_fold(dataset, tuning.folds, tuning.embargo_percent)
    workload = Workload(dataset=dataset, folds=tuple(folds), training=training)
    with workers_of(workload, workers=training.workers, launcher=training.launcher) as workers:
        return _search(workload, workers, seed, on_trial)


def _search(
    workload: Workload, workers: Workers, seed: int, on_trial: Callable[[TrialResult], None]
) -> TuneResult:
    with _quietly():
        import optuna

    stated = workload.training.learner
    least = min(len(fold.train) for fold in workload.folds)
    optuna.logging.set_verbosity(logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed % 2**32)
    study = optuna.create_study(
        direction="maximize", sampler=sampler, pruner=optuna.pruners.NopPruner()
    )
    # The first is what is stated, so that the search knows where it began.
    ranges = _whole_ranges(stated, least) + _real_ranges(stated)
    with _quietly():
        study.enqueue_trial({name: getattr(stated, name) for name, _ in ranges})
    learners: list[LearnerConfig] = []
    trials: list[TrialResult] = []
    for number in range(workload.training.tuning.trials):
        asked = study.ask()
        learners.append(suggest(asked, stated, least))
        trials.append(try_learner(workload, workers, learners[-1], number, seed))
        study.tell(asked, _or_worst(trials[-1].score))
        on_trial(trials[-1])
    best = max(range(len(trials)), key=lambda one: _or_worst(trials[one].score))
    return TuneResult(best=learners[best], trials=tuple(trials))


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep down what Optuna 2 warns of itself: names SQLAlchemy 2 has changed, `enqueue_trial`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def try_learner(
    workload: Workload, workers: Workers, learner: LearnerConfig, number: int, seed: int
) -> TrialResult:
    """Learn and score every fold with one learner."""
    jobs = [Job(fold=one, learner=learner, seed=seed) for one in range(len(workload.folds))]
    scored = list(workers.run(score_fold, jobs))
    dataset = workload.dataset
    score, neutral = gathered(len(dataset), scored)
    returns, horizon = long_short(dataset, score, neutral), horizon_sessions(dataset)
    skills = [one.skill for one in scored if one.skill is not None]
    return TrialResult(
        number=number,
        parameters=msgspec.to_builtins(learner),
        score=float(np.mean(skills)) if skills else None,
        returns=returns,
        sharpe=session_sharpe(returns, horizon),
        horizon=horizon,
        trees=round(float(np.mean([one.trees for one in scored]))),
        seconds=sum(one.seconds for one in scored),
    )


def gathered(rows: int, scored: Sequence[FoldScore]) -> tuple[Floats, Floats]:
    """Return each row's out-of-fold score and what its model calls neutral; each row once."""
    score, neutral = np.full(rows, np.nan), np.full(rows, np.nan)
    for one in scored:
        score[one.rows] = one.score
        neutral[one.rows] = one.neutral
    return score, neutral


def suggest(asked: Any, stated: LearnerConfig, rows: int) -> LearnerConfig:
    """Return the learner a trial proposes; ranges always hold what is stated.

    Trees and patience stay: early stopping chooses how many trees.
    """
    return msgspec.structs.replace(
        stated,
        **{name: _whole(asked, name, *span, stated) for name, span in _whole_ranges(stated, rows)},
        **{name: _real(asked, name, *span, stated) for name, span in _real_ranges(stated)},
    )


def _whole_ranges(stated: LearnerConfig, rows: int) -> list[tuple[str, tuple[int, int]]]:
    ranges = [("depth", (2, 8)), ("min_rows", (20, max(40, min(2_000, rows // 20))))]
    if isinstance(stated, LightGbm | Forest):
        ranges.append(("leaves", (4, 64)))
    return ranges


def _real_ranges(stated: LearnerConfig) -> list[tuple[str, tuple[float, float]]]:
    ranges = [("feature_share", (0.3, 0.95)), ("row_share", (0.4, 0.95))]
    if not isinstance(stated, Forest):
        ranges += [("learning_rate", (0.01, 0.2)), ("l2", (0.01, 100.0))]
    return ranges


def _whole(asked: Any, name: str, low: int, high: int, stated: LearnerConfig) -> int:
    now = getattr(stated, name)
    # Optuna 2 warns of its own logarithmic whole numbers.
    value: float = asked.suggest_float(name, min(low, now), max(high, now), log=True)
    return round(value)


def _real(asked: Any, name: str, low: float, high: float, stated: LearnerConfig) -> float:
    now = getattr(stated, name)
    # A stated penalty of 0 has no place on a logarithmic scale.
    log = name in {"learning_rate", "l2"} and now > 0
    value: float = asked.suggest_float(name, min(low, now), max(high, now), log=log)
    return value


def _or_worst(score: float | None) -> float:
    return WORST if score is None else score
