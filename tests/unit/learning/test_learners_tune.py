"""Tuning: every trial told, the same each time, the best by what it had not learned from."""

import msgspec
import numpy as np
import pytest

from tests.unit.learning.made_rows import made_rows
from tradingd.config.training import (
    Combinatorial,
    Forest,
    LearnerConfig,
    LightGbm,
    TrainingConfig,
    Tuning,
    XgBoost,
)
from tradingd.learning.dataset import Dataset
from tradingd.learning.paths import follow_paths
from tradingd.learning.trial import TrialResult
from tradingd.learning.tune import TuneResult, tune

TRAINING = TrainingConfig(
    learner=LightGbm(trees=25, min_rows=20, patience=0), tuning=Tuning(trials=4, folds=3), workers=1
)


def rows(**changes: float) -> Dataset:
    return made_rows(**{"sessions": 90, "symbols": 15, "horizon": 2, **changes})  # type: ignore[arg-type]


def tuned(dataset: Dataset, seed: int = 5, **changes: object) -> TuneResult:
    return tune(dataset, msgspec.structs.replace(TRAINING, **changes), seed)


def same(one: TuneResult, other: TuneResult) -> bool:
    return np.array_equal(one.returns(), other.returns()) and one.best == other.best


def test_every_trial_is_told_with_a_return_for_every_session() -> None:
    told: list[TrialResult] = []
    result = tune(rows(), TRAINING, 5, told.append)

    assert [one.number for one in result.trials] == [0, 1, 2, 3]
    assert [one.number for one in told] == [0, 1, 2, 3]
    assert result.returns().shape == (90, 4)
    assert all((one.returns != 0).mean() > 0.9 for one in result.trials)
    assert all(one.score is not None and one.score > 0.6 for one in result.trials)
    assert all(one.horizon == 2 and one.seconds > 0 for one in result.trials)


@pytest.mark.parametrize(
    "learner",
    [
        LightGbm(trees=25, min_rows=20),
        XgBoost(trees=15, min_rows=20, l2=0.0),
        Forest(trees=10, min_rows=5_000, leaves=200),
    ],
    ids=["lightgbm", "xgboost", "forest"],
)
def test_the_first_trial_is_the_learner_as_stated_even_outside_the_usual_ranges(
    learner: LearnerConfig,
) -> None:
    result = tuned(rows(), learner=learner, tuning=Tuning(trials=2, folds=2))

    assert result.trials[0].parameters == msgspec.to_builtins(learner)
    assert result.trials[1].parameters != result.trials[0].parameters


def test_the_best_is_the_trial_with_the_highest_score() -> None:
    result = tuned(rows())

    scores = [one.score for one in result.trials]
    best = result.trials[int(np.argmax([-1.0 if one is None else one for one in scores]))]
    assert msgspec.to_builtins(result.best) == best.parameters


def test_the_same_seed_tries_the_same_models_to_the_bit_and_another_others() -> None:
    dataset = rows()

    assert same(tuned(dataset), tuned(dataset))
    assert not same(tuned(dataset), tuned(dataset, seed=6))


def test_without_trials_the_learner_stays_as_stated() -> None:
    result = tuned(rows(), tuning=Tuning(trials=0))

    assert result.best == TRAINING.learner
    assert result.trials == ()


def test_labels_without_meaning_give_no_skill_out_of_fold() -> None:
    dataset = rows(sessions=150)
    order = np.random.default_rng(8).permutation(len(dataset))
    shuffled = msgspec.structs.replace(dataset, y=dataset.y[order], gain=dataset.gain[order])

    trials = tuned(shuffled).trials

    assert all(one.score is not None and abs(one.score - 0.5) < 0.04 for one in trials)
    assert all(one.sharpe is not None and abs(one.sharpe) < 0.25 for one in trials)


def test_each_path_predicts_every_session_out_of_sample() -> None:
    dataset = rows()
    asked = msgspec.structs.replace(TRAINING, combinatorial=Combinatorial(groups=4, test_groups=2))
    told: list[tuple[int, int]] = []

    result = follow_paths(
        dataset, asked, TRAINING.learner, 1, lambda done, of: told.append((done, of))
    )

    assert told == [(number, 6) for number in range(1, 7)]
    assert result.returns.shape == (90, 3)
    assert (result.returns != 0).mean() > 0.95
    assert all(one is not None and one > 0.1 for one in result.sharpes)
    assert len(set(result.sharpes)) == 3
