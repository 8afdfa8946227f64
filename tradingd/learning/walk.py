"""Walk-forward: every session predicted once, by a model that saw nothing of it.

What shares data with what, in one step: the trees learn from the training sessions. The validation
sessions are cut in two by time: the first half only decides when to stop (its rows whose labels
reach into the second half are dropped), the second half, which no tree and no stopping saw, gives
the calibration, the conformal interval and the score `inside`. Calibration and interval share that
half with each other. The test sessions only get predicted. Learners that never stop early leave
the whole validation to the second use.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
import numpy as np

from tradingd.config.training import Forest, LearnerConfig, TrainingConfig
from tradingd.domain.manifest import Calibration, ConformalInterval
from tradingd.learning.calibrate import fit_calibration, outcome, probabilities
from tradingd.learning.conformal import bounds, fit_interval
from tradingd.learning.dataset import Dataset, Floats, Fold, Integers
from tradingd.learning.estimator import Fitted
from tradingd.learning.learners import make_estimator
from tradingd.learning.scores import skill
from tradingd.learning.splits import walk_forward as walk_forward_folds
from tradingd.learning.splits.horizons import overlapping
from tradingd.learning.workers import workers_of
from tradingd.learning.workload import Job, Workload

PERCENT: Final = 100.0

type Span = tuple[int, int]


class Grown(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A fitted model with what was made of the validation sessions.

    `calibration` is None where no probability is asked for, `interval` where too few rows bound
    anything; `inside` is the skill on the rows that calibrated.
    """

    fitted: Fitted
    calibration: Calibration | None
    interval: ConformalInterval | None
    inside: float | None
    notes: tuple[str, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One step of the walk: its facts and its predictions.

    Parameters
    ----------
    number : int
    train, validation, test : tuple of int
        First and last `ts` of the rows that were used, UTC ns.
    used : tuple of int
        Rows of the three.
    purged : int
        Rows between the first and last that nobody used, since labels overlap.
    trees : int
    gains : array of float, shape (features,)
    inside, outside : float, optional
        Skill (AUC, or rank correlation with the label) on the calibration rows and the test rows.
    rows : array of int
        Row numbers of the test, with one score, probability and interval each (nan, -inf, inf
        where there is none).
    """

    number: int
    train: Span
    validation: Span
    test: Span
    used: tuple[int, int, int]
    purged: int
    trees: int
    gains: Floats
    calibration: Calibration | None
    interval: ConformalInterval | None
    inside: float | None
    outside: float | None
    rows: Integers
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    notes: tuple[str, ...]


class WalkResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Out-of-sample predictions in row order, and the steps they come from.

    `rows` are row numbers of the data set; `fold` is the number of each row's step.
    """

    rows: Integers
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    fold: Integers
    steps: tuple[Step, ...]

    def gains(self) -> Floats:
        """Return the gain of each feature in each step, shape (steps, features)."""
        return np.stack([step.gains for step in self.steps])


class FinalModel(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is served: learned from the latest sessions, as a further step would.

    `train` and `validation` are first and last `ts` of the rows used, UTC ns; `used` counts them.
    `known_until` is the end of their last label: what the model knows of reaches so far, UTC ns.
    """

    fitted: Fitted
    calibration: Calibration | None
    interval: ConformalInterval | None
    inside: float | None
    train: Span
    validation: Span
    used: tuple[int, int]
    known_until: int
    training_rows: Integers
    notes: tuple[str, ...]


def walk_forward(
    dataset: Dataset,
    training: TrainingConfig,
    learner: LearnerConfig,
    seed: int,
    *,
    workers: int = 1,
    launcher: Literal["joblib", "ray"] = "joblib",
    on_step: Callable[[int, int], None] = lambda _done, _all: None,
) -> WalkResult:
    """Walk over the data set.

    Parameters
    ----------
    dataset : Dataset
    training : TrainingConfig
        Windows, task, calibration and coverage.
    learner : LightGbm, XgBoost or Forest
        Tuned or as stated.
    seed : int
        Same seed, same bits, whoever runs the steps.
    workers, launcher
        How many steps at once, and where.
    on_step : callable
        Hears how many steps are done, of how many.

    Raises
    ------
    Failure
        EMPTY_RANGE: too few sessions for one step.
    """
    folds = tuple(walk_forward_folds(dataset, training.walk_forward))
    workload = Workload(dataset=dataset, folds=folds, training=training)
    jobs = [Job(fold=one, learner=learner, seed=seed) for one in range(len(folds))]
    steps: list[Step] = []
    with workers_of(workload, workers=min(workers, len(jobs)), launcher=launcher) as pool:
        for step in pool.run(take_step, jobs):
            steps.append(step)
            on_step(len(steps), len(jobs))
    return _joined(steps)


def take_step(workload: Workload, job: Job) -> Step:
    """Learn one step and predict its test rows: a pure function, whoever runs it."""
    dataset, fold = workload.dataset, workload.folds[job.fold]
    grown = grow(dataset, fold, workload.training, job.learner, job.seed)
    tested = dataset.take(fold.test)
    score = grown.fitted.predict(tested.x)
    nothing = np.full(len(score), np.nan)
    calibration, interval = grown.calibration, grown.interval
    low, high = (
        (nothing - np.inf, nothing + np.inf) if interval is None else bounds(interval, score)
    )
    return Step(
        number=fold.number,
        train=span(dataset, fold.train),
        validation=span(dataset, fold.validation),
        test=span(dataset, fold.test),
        used=(len(fold.train), len(fold.validation), len(fold.test)),
        purged=_unused(fold),
        trees=grown.fitted.trees,
        gains=grown.fitted.gains(),
        calibration=calibration,
        interval=interval,
        inside=grown.inside,
        outside=skill(workload.training.task, tested, score),
        rows=np.array(fold.test),
        score=score,
        probability=nothing if calibration is None else probabilities(calibration, score),
        low=low,
        high=high,
        notes=grown.notes,
    )


def fit_final(
    dataset: Dataset, training: TrainingConfig, learner: LearnerConfig, seed: int
) -> FinalModel:
    """Learn from the latest sessions: what a step whose test begins after the data would learn."""
    fold = final_fold(dataset, training)
    grown = grow(dataset, fold, training, learner, seed)
    return FinalModel(
        fitted=grown.fitted,
        calibration=grown.calibration,
        interval=grown.interval,
        inside=grown.inside,
        train=span(dataset, fold.train),
        validation=span(dataset, fold.validation),
        used=(len(fold.train), len(fold.validation)),
        known_until=int(dataset.end[np.concatenate((fold.train, fold.validation))].max()),
        training_rows=fold.train,
        notes=grown.notes,
    )


def final_fold(dataset: Dataset, training: TrainingConfig) -> Fold:
    """Return the last windows of training and validation; the test is empty."""
    windows = training.walk_forward
    numbers = np.unique(dataset.session)
    rows = np.arange(len(dataset))
    first_checked = numbers[-min(windows.validation, len(numbers))]
    checked = rows[dataset.session >= first_checked]
    earlier = numbers[numbers < first_checked]
    if not windows.expanding:
        earlier = earlier[-windows.train :]
    train = rows[np.isin(dataset.session, earlier)]
    kept = train[~overlapping(dataset, train, checked)]
    return Fold(number=0, train=kept, validation=checked, test=rows[:0])


def grow(
    dataset: Dataset, fold: Fold, training: TrainingConfig, learner: LearnerConfig, seed: int
) -> Grown:
    """Learn from a fold's training rows; stop, calibrate and bound by its validation rows."""
    stops_early = not isinstance(learner, Forest) and learner.patience > 0
    stop, calibrate = (
        halves(dataset, fold.validation)
        if stops_early
        else (
            fold.validation[:0],
            fold.validation,
        )
    )
    stopping = dataset.take(stop)
    fitted = make_estimator(learner, training.task).fit(dataset.take(fold.train), stopping, seed)
    unseen = dataset.take(calibrate)
    score = fitted.predict(unseen.x) if len(unseen) else np.empty(0)
    notes = fitted.notes
    if len(unseen) == 0:
        notes = (*notes, "no validation session is left to calibrate on")
    return Grown(
        fitted=fitted,
        calibration=_calibration(training, unseen, score),
        interval=fit_interval(score, unseen.y, training.coverage_percent / PERCENT),
        inside=skill(training.task, unseen, score) if len(unseen) else None,
        notes=notes,
    )


def halves(dataset: Dataset, rows: Integers) -> tuple[Integers, Integers]:
    """Cut rows in two by sessions, the earlier half without labels that reach into the later."""
    session = dataset.session[rows]
    numbers = np.unique(session)
    if len(numbers) == 0:
        return rows, rows
    middle = numbers[len(numbers) // 2]
    earlier, later = rows[session < middle], rows[session >= middle]
    return earlier[~overlapping(dataset, earlier, later)], later


def span(dataset: Dataset, rows: Integers) -> Span:
    """Return the first and last `ts` of rows, which are in time order; (0, 0) without any."""
    if len(rows) == 0:
        return 0, 0
    return int(dataset.ts[rows[0]]), int(dataset.ts[rows[-1]])


def _calibration(training: TrainingConfig, unseen: Dataset, score: Floats) -> Calibration | None:
    if training.calibration == "none" and training.task != "classification":
        # The score of such a model is no probability, and nothing is to make one of it.
        return None
    success = outcome(training.task, unseen)
    return fit_calibration(training.calibration, score, success, unseen.weight)


def _unused(fold: Fold) -> int:
    used = len(fold.train) + len(fold.validation) + len(fold.test)
    return int(fold.test[-1] - fold.train[0] + 1) - used


def _joined(steps: list[Step]) -> WalkResult:
    return WalkResult(
        rows=np.concatenate([step.rows for step in steps]),
        score=np.concatenate([step.score for step in steps]),
        probability=np.concatenate([step.probability for step in steps]),
        low=np.concatenate([step.low for step in steps]),
        high=np.concatenate([step.high for step in steps]),
        fold=np.concatenate([np.full(len(step.rows), step.number) for step in steps]),
        steps=tuple(steps),
    )
