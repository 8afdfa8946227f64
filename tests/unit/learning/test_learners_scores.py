"""Numbers that say what predictions are worth."""

import math

import msgspec
import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, log_loss, r2_score, roc_auc_score

from tests.unit.learning.made_rows import made_rows
from tradingd.learning.dataset import Dataset
from tradingd.learning.scores import (
    calibration_bins,
    exact_auc,
    measure,
    rank_correlations,
    skill,
)


def predicted(skill_of_rows: float = 0.3, classes: bool = True) -> tuple[Dataset, np.ndarray]:
    """Rows and scores that know their feature; weights vary."""
    rows = made_rows(skill=skill_of_rows, gaps=0.0, classes=classes, sessions=120)
    weight = np.random.default_rng(9).uniform(0.5, 1.5, len(rows))
    rows = msgspec.structs.replace(rows, weight=weight / weight.mean())
    return rows, 1 / (1 + np.exp(-0.5 * rows.x[:, 0]))


def test_scores_of_a_classification_are_those_of_scikit_learn() -> None:
    rows, chance = predicted()

    found = measure("classification", rows, chance, chance, seed=1, resamples=10)

    weights = {"sample_weight": rows.weight}
    assert found["auc"].value == pytest.approx(roc_auc_score(rows.y, chance, **weights), abs=1e-12)
    assert found["brier"].value == pytest.approx(brier_score_loss(rows.y, chance, **weights))
    assert found["log_loss"].value == pytest.approx(log_loss(rows.y, chance, **weights))


def test_ties_count_half_in_the_auc() -> None:
    score = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0])
    success = np.array([True, False, True, False, False, True])
    weight = np.ones(6)

    assert exact_auc(score, success, weight) == pytest.approx(roc_auc_score(success, score))
    assert exact_auc(np.zeros(6), success, weight) == 0.5
    assert math.isnan(exact_auc(score, np.ones(6, dtype=bool), weight))


def test_r2_is_against_the_forecast_zero() -> None:
    rows, _ = predicted(classes=False)
    score = 0.003 * rows.x[:, 0]
    found = measure("regression", rows, score, np.full(len(rows), np.nan), seed=1, resamples=10)

    both = np.concatenate([rows.y, -rows.y]), np.concatenate([score, -score])
    expected = r2_score(*both, sample_weight=np.tile(rows.weight, 2))
    assert found["r2"].value == pytest.approx(expected)
    assert "brier" not in found, "there was no probability"


def test_rank_correlations_are_taken_within_each_moment() -> None:
    rows, score = predicted()
    correlations, moments = rank_correlations(rows.ts, score, rows.gain)

    assert len(moments) == 120
    for moment, correlation in zip(moments[:10], correlations[:10], strict=True):
        mine = rows.ts == moment
        assert correlation == pytest.approx(spearmanr(score[mine], rows.gain[mine]).statistic)


def test_moments_with_few_or_equal_rows_have_no_rank_correlation() -> None:
    ts = np.array([1] * 4 + [2] * 6 + [3] * 6)
    score = np.concatenate([np.arange(4.0), np.zeros(6), np.arange(6.0)])

    correlations, moments = rank_correlations(ts, score, np.arange(16.0))

    assert moments.tolist() == [3]
    assert correlations.tolist() == pytest.approx([1.0])


def test_a_noise_model_lies_inside_its_intervals_and_a_good_one_outside() -> None:
    rows, chance = predicted()
    noise = np.random.default_rng(5).uniform(0.4, 0.6, len(rows))

    good = measure("classification", rows, chance, chance, seed=1, resamples=300)
    poor = measure("classification", rows, noise, noise, seed=1, resamples=300)

    for name, nothing in (("auc", 0.5), ("rank_ic", 0.0), ("long_short_sharpe", 0.0)):
        low, high = good[name].low, poor[name].high
        assert low is not None
        assert low > nothing
        assert high is not None
        assert (poor[name].low or 0.0) < nothing < high


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    def covers(seed: int) -> bool:
        rows = made_rows(seed=seed, sessions=60, skill=0.0, gaps=0.0)
        auc = measure("classification", rows, rows.x[:, 0], rows.x[:, 0], seed=1, resamples=200)
        low, high = auc["auc"].low, auc["auc"].high
        assert low is not None
        assert high is not None
        return low <= 0.5 <= high

    assert 0.85 <= np.mean([covers(seed) for seed in range(60)]) <= 1.0


def test_the_same_seed_gives_the_same_intervals() -> None:
    rows, chance = predicted()

    one, same, other = (
        measure("classification", rows, chance, chance, seed=seed, resamples=50)
        for seed in (1, 1, 2)
    )

    assert one == same
    assert one["auc"].value == other["auc"].value
    assert one["auc"].low != other["auc"].low


def test_the_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    rows, chance = predicted()
    too_sure = np.clip(0.5 + 2 * (chance - 0.5), 0.01, 0.99)
    success = rows.y > 0.5

    found = measure("classification", rows, too_sure, too_sure, seed=1, resamples=10)
    bins = calibration_bins(too_sure, success, rows.weight)

    assert sum(one.rows for one in bins) == len(rows)
    assert [one.predicted for one in bins] == sorted(one.predicted for one in bins)
    place = np.searchsorted(np.quantile(too_sure, np.arange(0.1, 0.95, 0.1)), too_sure, "right")
    mass = np.bincount(place, rows.weight)
    gap = sum(
        m * abs(one.predicted - one.observed) for m, one in zip(mass, bins, strict=True)
    ) / sum(mass)
    assert found["calibration_error"].value == pytest.approx(gap)
    assert gap > 0.05


def test_the_skill_of_one_class_alone_is_undefined() -> None:
    rows, chance = predicted()
    won = msgspec.structs.replace(rows, y=np.ones(len(rows)))

    assert skill("classification", won, chance) is None
    assert measure("classification", won, chance, chance, seed=1, resamples=10)["auc"].value is None


@pytest.mark.parametrize(("sessions", "known"), [(9, False), (10, True)])
def test_a_handful_of_moments_gives_no_rank_correlation(sessions: int, known: bool) -> None:
    rows = made_rows(sessions=sessions, symbols=20, gaps=0.0)
    nothing = np.full(len(rows), np.nan)
    found = measure("classification", rows, rows.x[:, 0], nothing, seed=1).get("rank_ic")
    assert (found is not None and found.value is not None) is known
