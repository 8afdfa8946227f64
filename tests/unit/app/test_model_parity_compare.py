"""A prediction that differs is counted, and a threshold between the two values explains it."""

import numpy as np
import pytest

from tradingd.app.model_parity_compare import Compared, Recorded, compare
from tradingd.app.model_parity_splits import Splits, splits_of
from tradingd.features.frame import FeatureFrame
from tradingd.serving.lightgbm_model import LightGbmModel

NAMES = ("first", "second")
CHANCE = np.random.default_rng(4)
X = CHANCE.normal(size=(400, 2))


@pytest.fixture(scope="module")
def text() -> bytes:
    import lightgbm

    settings = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 8}
    data = lightgbm.Dataset(X, (X.sum(axis=1) > 0).astype(float), feature_name=list(NAMES))
    return str(lightgbm.train(settings, data, 12).model_to_string()).encode()


@pytest.fixture(scope="module")
def model(text: bytes) -> LightGbmModel:
    return LightGbmModel(text, 2, "model.txt")


@pytest.fixture(scope="module")
def splits(text: bytes) -> Splits:
    found = splits_of(text, "lightgbm-text", NAMES)
    assert found is not None
    return found


def frame(x: np.ndarray) -> FeatureFrame:
    count = len(x)
    return FeatureFrame(
        names=NAMES,
        symbols=("AAA",),
        symbol=np.zeros(count, np.int64),
        ts=np.arange(1, count + 1, dtype=np.int64) * 10**9,
        session=np.zeros(count, np.int64),
        x=x,
        close=np.ones(count),
    )


def told(model: LightGbmModel, splits: Splits | None, seen: np.ndarray, x: np.ndarray) -> Compared:
    """Compare rows as a session saw them with those of the store."""
    whole = frame(x)
    recorded = Recorded(symbols=["AAA"] * len(x), ts=whole.ts, score=model.many(seen), x=seen)
    return compare(recorded, whole, model, splits)


def test_the_same_rows_are_the_same_predictions(model: LightGbmModel, splits: Splits) -> None:
    found = told(model, splits, X.copy(), X)
    assert (found.rows, found.predictions, found.absent) == (400, 400, 0)
    assert (found.features, found.repeats_differ, found.differences) == ((), 0, ())


def test_a_value_that_crosses_a_threshold_within_the_tolerance_explains_what_differs(
    model: LightGbmModel, splits: Splits
) -> None:
    threshold = float(splits.thresholds[0][len(splits.thresholds[0]) // 2])
    x, seen = X.copy(), X.copy()
    x[:, 0], seen[:, 0] = threshold, np.nextafter(threshold, np.inf)
    found = told(model, splits, seen, x)
    assert found.outside == 0
    assert found.features[0].differ == 400
    assert found.differences, "the tree goes another way"
    assert found.unexplained == 0
    near = found.differences[0].near
    assert [(one.feature, one.threshold) for one in near] == [("first", threshold)]


def test_rows_on_the_same_side_of_every_threshold_never_differ(
    model: LightGbmModel, splits: Splits
) -> None:
    noise = X * (1.0 + 1e-10 * CHANCE.normal(size=X.shape))
    found = told(model, splits, noise, X)
    crossed = sum(
        any(splits.between(column, ours, theirs) is not None for column, (ours, theirs) in pairs)
        for pairs in (
            list(enumerate(zip(one, other, strict=True)))
            for one, other in zip(noise, X, strict=True)
        )
    )
    assert found.outside == 0
    assert len(found.differences) <= crossed


def test_a_feature_that_is_another_one_is_outside_and_explains_nothing(
    model: LightGbmModel, splits: Splits
) -> None:
    seen = X.copy()
    seen[:, 1] = -seen[:, 1]
    found = told(model, splits, seen, X)
    assert [(one.name, one.outside) for one in found.features] == [("second", 400)]
    assert found.unexplained == len(found.differences) > 300


def test_what_is_missing_on_one_side_only_is_outside(model: LightGbmModel, splits: Splits) -> None:
    seen = X.copy()
    seen[7, 0] = np.nan
    found = told(model, splits, seen, X)
    assert [(one.name, one.outside, one.worst) for one in found.features] == [
        ("first", 1, float("inf"))
    ]


def test_a_score_that_the_same_row_does_not_give_again_is_counted(
    model: LightGbmModel, splits: Splits
) -> None:
    whole, score = frame(X), model.many(X)
    score[3] = np.nextafter(score[3], 1.0)
    recorded = Recorded(symbols=["AAA"] * 400, ts=whole.ts, score=score, x=X)
    found = compare(recorded, whole, model, splits)
    assert found.repeats_differ == 1
    assert found.unexplained == 1


def test_a_bar_that_the_store_does_not_have_is_counted_and_not_compared(
    model: LightGbmModel, splits: Splits
) -> None:
    whole = frame(X)
    recorded = Recorded(
        symbols=["AAA", "BBB", "AAA"],
        ts=np.array([10**9, 10**9, 5 * 10**8]),
        score=model.many(X[:3]),
        x=X[:3],
    )
    found = compare(recorded, whole, model, splits)
    assert (found.rows, found.absent) == (1, 2)


def test_thresholds_of_xgboost_part_where_its_predictions_change() -> None:
    import xgboost

    data = xgboost.DMatrix(X, (X.sum(axis=1) > 0).astype(float), feature_names=list(NAMES))
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 8)
    content = bytes(booster.save_raw("json"))
    found = splits_of(content, "xgboost-json", NAMES)
    assert found is not None
    moved = 0
    for threshold in found.thresholds[0].tolist():
        below = float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
        assert found.between(0, below, threshold) == threshold
        assert found.between(0, threshold, float(np.nextafter(threshold, np.inf))) is None
        rows = np.column_stack([np.tile([below, threshold], 50), np.repeat(X[:50, 1], 2)])
        score = booster.inplace_predict(rows).reshape(50, 2)
        moved += int((score[:, 0] != score[:, 1]).any())
    assert moved > len(found.thresholds[0]) / 2


def test_a_format_that_hides_its_trees_explains_nothing(
    model: LightGbmModel, splits: Splits
) -> None:
    assert splits_of(b"", "onnx", NAMES) is None
    seen = X.copy()
    seen[:, 0] = -seen[:, 0]
    found = told(model, None, seen, X)
    assert not found.splits_known
    assert found.unexplained == len(found.differences) > 0
