"""One model tried: learned on every fold but the tested one, and judged on that."""

from typing import Any, Final

import msgspec
import numpy as np

from tradingd.config.training import Forest, LearnerConfig
from tradingd.learning.dataset import Dataset, Floats, Integers
from tradingd.learning.learners import make_estimator
from tradingd.learning.scores import skill
from tradingd.learning.splits.horizons import overlapping
from tradingd.learning.workload import Job, Workload

STOP_SHARE: Final = 0.2
"""Latest share of the training sessions that decides when to stop, where a fold names none."""
_LOOKED_AT: Final = 5_000


class TrialResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a model that was tried came to, on rows it had not learned from.

    Parameters
    ----------
    number : int
    parameters : dict
        Of the learner, by its configuration's keys.
    score : float, optional
        Mean skill over the folds (AUC, or rank correlation); None: undefined.
    returns : array of float, shape (sessions,)
        Out-of-fold long/short returns; see `portfolio.long_short`.
    sharpe : float, optional
        Per session, for labels that overlap.
    horizon : int
        Sessions a label looks ahead.
    trees : int
        Mean over the folds.
    seconds : float
        CPU time of all folds.
    """

    number: int
    parameters: dict[str, Any]
    score: float | None
    returns: Floats
    sharpe: float | None
    horizon: int
    trees: int
    seconds: float


class FoldScore(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a fold's model said of its test rows, and what it calls neutral."""

    rows: Integers
    score: Floats
    neutral: float
    skill: float | None
    trees: int
    seconds: float


def score_fold(workload: Workload, job: Job) -> FoldScore:
    """Learn one fold and score its test rows: a pure function, whoever runs it."""
    from time import process_time

    began = process_time()
    fold, task = workload.folds[job.fold], workload.training.task
    learned, stops = stopping_rows(workload.dataset, fold.train, job.learner)
    train = workload.dataset.take(learned)
    fitted = make_estimator(job.learner, task).fit(train, workload.dataset.take(stops), job.seed)
    tested = workload.dataset.take(fold.test)
    score = fitted.predict(tested.x)
    return FoldScore(
        rows=np.array(fold.test),
        score=score,
        neutral=neutral_score(fitted.predict(some_of(train).x)),
        skill=skill(task, tested, score),
        trees=fitted.trees,
        seconds=process_time() - began,
    )


def stopping_rows(
    dataset: Dataset, train: Integers, learner: LearnerConfig
) -> tuple[Integers, Integers]:
    """Cut off the latest fifth of the training sessions to stop by; purge the rest against it."""
    nothing = train[:0]
    if isinstance(learner, Forest) or learner.patience == 0:
        return train, nothing
    session = dataset.session[train]
    numbers = np.unique(session)
    first = numbers[min(len(numbers) - 1, int(len(numbers) * (1 - STOP_SHARE)))]
    stops = train[session >= first]
    before = train[session < first]
    kept = before[~overlapping(dataset, before, stops)]
    return (kept, stops) if len(kept) else (train, nothing)


def some_of(dataset: Dataset, rows: int = _LOOKED_AT) -> Dataset:
    """Return at most so many rows, evenly spread over time."""
    if len(dataset) <= rows:
        return dataset
    return dataset.take(np.linspace(0, len(dataset) - 1, rows).astype(np.int64))


def neutral_score(score: Floats) -> float:
    """Return the middle of what a model says of rows it knows."""
    return float(np.median(score)) if len(score) else 0.0
