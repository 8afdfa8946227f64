"""Many out-of-sample histories of one learner, by combinatorial purged cross-validation.

M. Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12: C(N, k) folds make
C(N, k) * k / N paths, each of which predicts every session once.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from tradingd.config.training import LearnerConfig, TrainingConfig
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.portfolio import horizon_sessions, long_short, session_sharpe
from tradingd.learning.splits import combinatorial, paths
from tradingd.learning.trial import FoldScore, score_fold
from tradingd.learning.workers import workers_of
from tradingd.learning.workload import Job, Workload


class PathsResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Long/short returns of every path, shape (sessions, paths), and each path's Sharpe ratio.

    `sharpes` are per session, for labels that overlap; None where a path never holds anything.
    """

    returns: Floats
    sharpes: tuple[float | None, ...]


def follow_paths(
    dataset: Dataset,
    training: TrainingConfig,
    learner: LearnerConfig,
    seed: int,
    on_fold: Callable[[int, int], None] = lambda _done, _all: None,
) -> PathsResult:
    """Learn every combination of folds and put the paths together."""
    asked = training.combinatorial
    embargo = training.tuning.embargo_percent
    folds = combinatorial(dataset, asked.groups, asked.test_groups, embargo)
    workload = Workload(dataset=dataset, folds=tuple(folds), training=training)
    jobs = [Job(fold=one, learner=learner, seed=seed) for one in range(len(folds))]
    scored: list[FoldScore] = []
    with workers_of(workload, workers=training.workers, launcher=training.launcher) as pool:
        for one in pool.run(score_fold, jobs):
            scored.append(one)
            on_fold(len(scored), len(jobs))
    every = [
        _path_returns(dataset, scored, path.parts)
        for path in paths(dataset, asked.groups, asked.test_groups)
    ]
    horizon = horizon_sessions(dataset)
    return PathsResult(
        returns=np.stack(every, axis=1),
        sharpes=tuple(session_sharpe(one, horizon) for one in every),
    )


def _path_returns(
    dataset: Dataset, scored: list[FoldScore], parts: tuple[tuple[int, np.ndarray], ...]
) -> Floats:
    score, neutral = np.full(len(dataset), np.nan), np.full(len(dataset), np.nan)
    for fold, rows in parts:
        place = np.searchsorted(scored[fold].rows, rows)
        score[rows] = scored[fold].score[place]
        neutral[rows] = scored[fold].neutral
    return long_short(dataset, score, neutral)
