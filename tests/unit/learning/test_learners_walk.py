"""Walking forward: nothing of a test session reaches the model that predicts it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.unit.learning.made_rows import DAY, made_rows
from tradingd.config.training import (
    Forest,
    LearnerConfig,
    LightGbm,
    TrainingConfig,
    Tuning,
    WalkForward,
    XgBoost,
)
from tradingd.domain.calibration import probability
from tradingd.learning.conformal import covered
from tradingd.learning.dataset import Dataset
from tradingd.learning.scores import exact_auc
from tradingd.learning.trial import score_fold, stopping_rows
from tradingd.learning.walk import (
    WalkResult,
    final_fold,
    fit_final,
    halves,
    take_step,
    walk_forward,
)
from tradingd.learning.workload import Job, Workload, read_workload, write_workload

LEARNER = LightGbm(trees=60, min_rows=20, patience=10)
TRAINING = TrainingConfig(
    learner=LEARNER,
    walk_forward=WalkForward(train=60, validation=30, test=10),
    tuning=Tuning(trials=3, folds=3),
    workers=1,
)


def rows(**changes: float) -> Dataset:
    return made_rows(**{"sessions": 130, "horizon": 3, **changes})  # type: ignore[arg-type]


def walked(dataset: Dataset, learner: LearnerConfig = LEARNER, **changes: object) -> WalkResult:
    return walk_forward(dataset, msgspec.structs.replace(TRAINING, **changes), learner, 3)


def test_every_session_after_the_first_windows_is_predicted_once_with_skill() -> None:
    dataset = rows()

    result = walked(dataset)

    assert np.array_equal(result.rows, np.flatnonzero(dataset.session >= 90))
    assert set(result.fold.tolist()) == {0, 1, 2, 3}
    tested = dataset.take(result.rows)
    assert exact_auc(result.score, tested.y > 0.5, tested.weight) > 0.62
    assert 0.86 <= covered(result.low, result.high, tested.y) <= 0.94


def test_probabilities_are_those_a_manifest_would_give() -> None:
    result = walked(rows())

    for step in result.steps:
        assert step.calibration is not None
        again = [probability(step.calibration, one) for one in step.score.tolist()]
        assert again == step.probability.tolist()


@pytest.mark.parametrize("learner", [LEARNER, XgBoost(trees=30, patience=5, min_rows=20)])
def test_what_happens_from_the_test_on_changes_nothing_before(learner: LearnerConfig) -> None:
    """Truncation and scrambling: labels and gains of test rows are never looked at."""
    dataset = rows()
    later = dataset.session >= 90
    dice = np.random.default_rng(1)
    scrambled = msgspec.structs.replace(
        dataset,
        y=np.where(later, 1 - dataset.y, dataset.y),
        gain=np.where(later, dice.normal(size=len(dataset)), dataset.gain),
        weight=np.where(later, 5.0, dataset.weight),
    )

    first, other = walked(dataset, learner).steps[0], walked(scrambled, learner).steps[0]

    assert np.array_equal(first.score, other.score)
    assert np.array_equal(first.probability, other.probability)
    assert (first.calibration, first.interval) == (other.calibration, other.interval)
    assert first.outside != other.outside, "the scrambling must have had something to change"


def test_the_half_that_calibrates_has_no_say_in_when_to_stop() -> None:
    dataset = rows()
    calibrating = (dataset.session >= 75) & (dataset.session < 90)
    scrambled = msgspec.structs.replace(dataset, y=np.where(calibrating, 1 - dataset.y, dataset.y))

    step, other = walked(dataset).steps[0], walked(scrambled).steps[0]

    assert np.array_equal(step.score, other.score)
    assert step.calibration != other.calibration


def test_learners_that_never_stop_early_calibrate_on_the_whole_validation() -> None:
    dataset = rows()

    stopped = walked(dataset).steps[0].calibration
    free = walked(dataset, msgspec.structs.replace(LEARNER, patience=0)).steps[0].calibration

    # Two of the thirty sessions have labels that reach into the test.
    assert stopped is not None
    assert stopped.rows == 20 * 14
    assert free is not None
    assert free.rows == 20 * 28


def test_labels_that_reach_into_the_second_half_are_not_stopped_on() -> None:
    dataset = rows()

    stop, calibrate = halves(dataset, np.flatnonzero(dataset.session < 30))

    assert dataset.session[calibrate].min() == 15
    assert dataset.session[stop].max() == 12
    assert dataset.end[stop].max() <= dataset.ts[calibrate].min()


def test_a_step_tells_its_windows_and_what_was_purged() -> None:
    step = walked(rows()).steps[1]

    assert (step.train, step.validation, step.test) == (
        (11 * DAY, 68 * DAY),
        (71 * DAY, 98 * DAY),
        (101 * DAY, 110 * DAY),
    )
    assert step.used == (58 * 20, 28 * 20, 10 * 20)
    assert step.purged == 4 * 20
    assert step.inside is not None
    assert step.outside is not None
    assert step.gains.shape == (4,)


def test_one_validation_session_stops_or_calibrates_but_not_both() -> None:
    result = walked(
        rows(horizon=1), walk_forward=WalkForward(train=60, validation=1, test=10)
    ).steps[0]

    assert result.calibration is not None
    assert result.calibration.rows == 20


@pytest.mark.parametrize("task", ["regression", "ranking"])
def test_without_calibration_only_classifications_have_probabilities(task: str) -> None:
    dataset = rows(classes=False)

    plain = walked(dataset, task=task, calibration="none").steps[0]
    calibrated = walked(dataset, task=task, calibration="isotonic").steps[0]

    assert plain.calibration is None
    assert np.isnan(plain.probability).all()
    assert (np.diff(calibrated.probability[np.argsort(calibrated.score)]) >= 0).all()
    tested = dataset.take(calibrated.rows)
    assert exact_auc(calibrated.probability, tested.gain > 0, tested.weight) > 0.6


def test_a_forest_leaves_the_whole_validation_to_the_calibration() -> None:
    result = walked(rows(), Forest(trees=20, min_rows=20)).steps[0]

    assert result.trees == 20
    assert result.calibration is not None
    assert result.calibration.rows == 20 * 28


def test_the_final_model_is_what_the_next_step_would_learn() -> None:
    dataset = rows()
    before = dataset.take(dataset.session < 120)

    last_step = walked(dataset).steps[3]
    final = fit_final(dataset.take(dataset.session < 120), TRAINING, LEARNER, 3)

    assert final.train == last_step.train
    assert final.validation[0] == last_step.validation[0]
    # No test follows, so no label of the validation reaches into one.
    assert final.used == (last_step.used[0], last_step.used[1] + 2 * 20)
    assert final.fitted.predict(before.x).shape == (len(before),)
    assert np.array_equal(final.training_rows, final_fold(before, TRAINING).train)


def test_an_expanding_final_model_learns_from_all_sessions() -> None:
    expanding = msgspec.structs.replace(
        TRAINING, walk_forward=WalkForward(train=60, validation=30, test=10, expanding=True)
    )

    assert len(final_fold(rows(), expanding).train) == (100 - 2) * 20


def test_a_workload_read_from_files_gives_the_same_bits(tmp_path: Path) -> None:
    dataset = rows()
    from tradingd.learning.splits import walk_forward as cut

    workload = Workload(
        dataset=dataset, folds=tuple(cut(dataset, TRAINING.walk_forward)), training=TRAINING
    )
    write_workload(tmp_path, workload)
    job = Job(fold=2, learner=LEARNER, seed=3)

    here, mapped = take_step(workload, job), take_step(read_workload(tmp_path), job)

    for name in here.__struct_fields__:
        assert np.array_equal(getattr(here, name), getattr(mapped, name)), name
    assert isinstance(read_workload(tmp_path).dataset.x, np.memmap)


def test_a_fold_without_validation_is_written_and_read(tmp_path: Path) -> None:
    from tradingd.learning.splits import purged_k_fold

    dataset = rows()
    folds = tuple(purged_k_fold(dataset, 3, 1.0))
    write_workload(tmp_path, Workload(dataset=dataset, folds=folds, training=TRAINING))

    again = read_workload(tmp_path)

    assert again.training == TRAINING
    for one, other in zip(folds, again.folds, strict=True):
        assert np.array_equal(one.train, other.train)
        assert len(other.validation) == 0


def test_a_tuning_fold_stops_by_the_latest_of_its_own_training_sessions() -> None:
    dataset = rows()
    train = np.flatnonzero((dataset.session < 40) | (dataset.session >= 90))

    kept, stops = stopping_rows(dataset, train, LEARNER)

    assert dataset.session[stops].min() == 114
    assert dataset.end[kept].max() <= dataset.ts[stops].min()
    assert len(stops) + len(kept) == len(train) - 2 * 20


def test_what_happens_in_a_tested_fold_does_not_change_its_scores() -> None:
    from tradingd.learning.splits import purged_k_fold

    dataset = rows()
    folds = tuple(purged_k_fold(dataset, 3, 1.0))
    tested = np.isin(np.arange(len(dataset)), folds[1].test)
    scrambled = msgspec.structs.replace(dataset, y=np.where(tested, 1 - dataset.y, dataset.y))
    job = Job(fold=1, learner=LEARNER, seed=3)

    one, other = (
        score_fold(Workload(dataset=each, folds=folds, training=TRAINING), job)
        for each in (dataset, scrambled)
    )

    assert np.array_equal(one.score, other.score)
    assert one.skill != other.skill


def test_the_final_model_knows_as_far_as_its_last_labels_reach() -> None:
    rows = made_rows(sessions=60, horizon=5)
    training = TrainingConfig(walk_forward=WalkForward(train=30, validation=10, test=5))
    final = fit_final(rows, training, LightGbm(trees=2), 1)
    assert final.validation[1] == rows.ts.max()
    assert final.known_until == rows.ts.max() + 5 * DAY
