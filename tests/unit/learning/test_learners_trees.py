"""Learners of trees: the same interface, the same bits, what they may and may not look at."""

from pathlib import Path

import lightgbm
import msgspec
import numpy as np
import pytest
import shap
import xgboost

from tests.unit.learning.made_rows import made_rows
from tradingd.config.training import Forest, LearnerConfig, LightGbm, XgBoost
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.calibrate import Task
from tradingd.learning.dataset import Dataset
from tradingd.learning.learners import make_estimator

LEARNERS: dict[str, LearnerConfig] = {
    "lightgbm": LightGbm(trees=40, min_rows=20, patience=0),
    "xgboost": XgBoost(trees=40, min_rows=20, patience=0),
    "forest": Forest(trees=40, min_rows=20),
}
TASKS: tuple[Task, ...] = ("classification", "regression", "ranking")

every_learner = pytest.mark.parametrize("kind", list(LEARNERS))
every_task = pytest.mark.parametrize("task", TASKS)


def rows(task: Task, **changes: int | float) -> Dataset:
    return made_rows(classes=task == "classification", **changes)  # type: ignore[arg-type]


def with_label(dataset: Dataset, y: np.ndarray) -> Dataset:
    return msgspec.structs.replace(dataset, y=y)


@every_learner
@every_task
def test_every_learner_finds_what_a_feature_says_about_unseen_rows(kind: str, task: Task) -> None:
    fitted = make_estimator(LEARNERS[kind], task).fit(rows(task), None, 1)

    unseen = rows(task, seed=1)

    assert np.corrcoef(fitted.predict(unseen.x), unseen.gain)[0, 1] > 0.35


@every_learner
@every_task
def test_the_same_seed_gives_the_same_file_and_another_seed_another(
    kind: str, task: Task, tmp_path: Path
) -> None:
    dataset = rows(task)
    for name, seed in (("one", 7), ("same", 7), ("other", 8)):
        make_estimator(LEARNERS[kind], task).fit(dataset, None, seed).save(tmp_path / name)

    one, same, other = ((tmp_path / name).read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other


@every_learner
@every_task
def test_a_stored_model_predicts_the_same_bits(kind: str, task: Task, tmp_path: Path) -> None:
    dataset = rows(task)
    fitted = make_estimator(LEARNERS[kind], task).fit(dataset, None, 1)

    path = tmp_path / "model"
    stored = fitted.save(path)

    if stored == "lightgbm-text":
        again = lightgbm.Booster(model_file=str(path)).predict(dataset.x)
    else:
        again = xgboost.Booster(model_file=path.rename(tmp_path / "model.json")).inplace_predict(
            dataset.x
        )
    assert np.array_equal(again, fitted.predict(dataset.x))


@every_learner
@every_task
def test_shap_values_sum_to_the_margin(kind: str, task: Task) -> None:
    dataset = rows(task)
    fitted = make_estimator(LEARNERS[kind], task).fit(dataset, None, 1)

    shares = fitted.contributions(dataset.x)

    tolerance = 1e-5 if kind == "xgboost" else 1e-12
    assert shares.shape == (len(dataset), 5)
    np.testing.assert_allclose(shares.sum(axis=1), fitted.margins(dataset.x), atol=tolerance)
    if task == "classification":
        chance = 1 / (1 + np.exp(-shares.sum(axis=1)))
        np.testing.assert_allclose(chance, fitted.predict(dataset.x), atol=tolerance)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_shap_values_are_those_of_the_shap_package(kind: str, task: Task, tmp_path: Path) -> None:
    dataset = rows(task, gaps=0.0)
    fitted = make_estimator(LEARNERS[kind], task).fit(dataset, None, 1)
    path = tmp_path / "model.json"
    fitted.save(path)
    booster = (
        lightgbm.Booster(model_file=str(path))
        if kind == "lightgbm"
        else xgboost.Booster(model_file=path)
    )
    # Its own algorithm over its own reading of the trees, not the library's.
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    explainer.model.original_model = None
    explainer.model.model_type = "internal"

    theirs = explainer.shap_values(dataset.x[:200], check_additivity=False)

    np.testing.assert_allclose(fitted.contributions(dataset.x[:200])[:, :-1], theirs, atol=2e-5)


@every_learner
@every_task
def test_a_monotone_feature_never_works_the_other_way(kind: str, task: Task) -> None:
    dataset = rows(task, skill=0.2)
    config = msgspec.structs.replace(LEARNERS[kind], monotone={"feature_1": 1, "feature_0": -1})
    free = make_estimator(LEARNERS[kind], task).fit(dataset, None, 1)
    bound = make_estimator(config, task).fit(dataset, None, 1)

    assert largest_fall(free.margins, dataset, 1) > 1e-3, "the constraint must have had work to do"
    assert largest_fall(bound.margins, dataset, 1) <= 1e-6
    assert largest_rise(bound.margins, dataset, 0) <= 1e-6


def moved(margins, dataset: Dataset, feature: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Margins of some rows with one feature taken from low to high; shape (steps, rows)."""
    some = dataset.x[:100].copy()
    answers = []
    for value in np.linspace(-3, 3, 61):
        some[:, feature] = value
        answers.append(margins(some))
    return np.array(answers)


def largest_fall(margins, dataset: Dataset, feature: int) -> float:  # type: ignore[no-untyped-def]
    return float(-np.diff(moved(margins, dataset, feature), axis=0).min())


def largest_rise(margins, dataset: Dataset, feature: int) -> float:  # type: ignore[no-untyped-def]
    return float(np.diff(moved(margins, dataset, feature), axis=0).max())


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@every_task
def test_the_validation_rows_only_decide_how_many_trees_are_kept(kind: str, task: Task) -> None:
    config = msgspec.structs.replace(LEARNERS[kind], trees=300, patience=5)
    train, unseen = rows(task, skill=0.2), rows(task, skill=0.2, seed=5)

    stopped = make_estimator(config, task).fit(train, unseen, 1)
    as_many = msgspec.structs.replace(config, trees=stopped.trees, patience=0)

    assert stopped.trees < 100
    again = make_estimator(as_many, task).fit(train, None, 1)
    assert np.array_equal(again.predict(unseen.x), stopped.predict(unseen.x))


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_the_trees_kept_are_those_that_err_least_on_the_validation_rows(kind: str) -> None:
    train, unseen = (rows("regression", skill=0.2, seed=seed) for seed in (0, 5))

    def error(trees: int, patience: int) -> tuple[int, float]:
        config = msgspec.structs.replace(LEARNERS[kind], trees=trees, patience=patience)
        fitted = make_estimator(config, "regression").fit(train, unseen, 1)
        return fitted.trees, float(np.mean((fitted.predict(unseen.x) - unseen.y) ** 2))

    kept, least = error(300, 5)

    others = [error(trees, 0)[1] for trees in range(max(1, kept - 3), kept + 6) if trees != kept]
    assert least < min(others)


@every_learner
def test_a_constraint_on_an_unknown_feature_is_refused_with_the_closest(kind: str) -> None:
    config = msgspec.structs.replace(LEARNERS[kind], monotone={"featur_1": 1})

    with pytest.raises(Failure) as refused:
        make_estimator(config, "regression").fit(rows("regression"), None, 1)

    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == "training.learner.monotone.featur_1"
    assert "feature_1" in refused.value.expected


def test_a_forest_of_equal_trees_is_refused() -> None:
    with pytest.raises(Failure, match="equal trees"):
        make_estimator(Forest(row_share=1.0, feature_share=1.0), "regression")


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_without_a_gpu_the_cpu_trains_the_same_model_and_says_so(kind: str) -> None:
    dataset = rows("regression")
    wanted = msgspec.structs.replace(LEARNERS[kind], device="gpu")

    on_gpu = make_estimator(wanted, "regression").fit(dataset, None, 1)
    on_cpu = make_estimator(LEARNERS[kind], "regression").fit(dataset, None, 1)

    if not on_gpu.notes:
        pytest.skip("this machine has a gpu")
    assert on_gpu.notes[0].startswith("trained on the cpu: ")
    assert np.array_equal(on_gpu.predict(dataset.x), on_cpu.predict(dataset.x))


def test_xgboost_takes_an_infinite_feature_as_missing() -> None:
    dataset = rows("regression")
    fitted = make_estimator(LEARNERS["xgboost"], "regression").fit(dataset, None, 1)
    infinite, missing = dataset.x[:1].copy(), dataset.x[:1].copy()
    infinite[0, 0], missing[0, 0] = np.inf, np.nan

    assert np.array_equal(fitted.predict(infinite), fitted.predict(missing))


@every_learner
def test_the_feature_that_says_something_has_most_of_the_gain(kind: str) -> None:
    gains = make_estimator(LEARNERS[kind], "regression").fit(rows("regression"), None, 1).gains()

    assert gains.shape == (4,)
    assert gains[0] > 0.5 * gains.sum()
