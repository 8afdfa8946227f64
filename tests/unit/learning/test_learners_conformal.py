"""Intervals cover what they state."""

import numpy as np
import pytest
from scipy.stats import binom

from tradingd.domain.calibration import ends
from tradingd.learning.conformal import bounds, covered, fit_interval


def exchangeable(dice: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that know a third of a skewed, fat-tailed label."""
    signal = dice.normal(size=rows)
    return signal, signal + dice.standard_t(3, rows) * 0.5 + dice.exponential(1.0, rows)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("rows", [60, 400])
def test_exchangeable_labels_are_covered_as_stated(coverage: float, rows: int) -> None:
    dice = np.random.default_rng(11)
    tries = 4_000
    hits = below = above = 0
    for _ in range(tries):
        score, y = exchangeable(dice, rows + 1)
        interval = fit_interval(score[:-1], y[:-1], coverage)
        assert interval is not None
        low, high = ends(interval, float(score[-1]))
        hits += low <= y[-1] <= high
        below += y[-1] < low
        above += y[-1] > high

    # At least what is stated, and at most one rank of either side more.
    assert hits >= binom.ppf(0.001, tries, coverage)
    assert hits <= binom.ppf(0.999, tries, coverage + 2 / (rows + 1))
    for outside in (below, above):
        assert outside <= binom.ppf(0.999, tries, (1 - coverage) / 2)


def test_the_ends_are_the_order_statistics_of_the_theorem() -> None:
    y = np.random.default_rng(1).permutation(np.arange(1.0, 200.0))

    interval = fit_interval(np.zeros(199), y, 0.9)

    assert interval is not None
    assert (interval.below, interval.above) == (-10.0, 190.0)
    assert interval.coverage_percent == 90.0


def test_too_few_rows_bound_nothing() -> None:
    assert fit_interval(np.zeros(38), np.arange(38.0), 0.95) is None
    assert fit_interval(np.zeros(39), np.arange(39.0), 0.95) is not None


def test_arrays_have_the_ends_of_single_scores() -> None:
    score, y = exchangeable(np.random.default_rng(3), 300)
    interval = fit_interval(score, y, 0.9)
    assert interval is not None

    low, high = bounds(interval, score)

    assert [(a, b) for a, b in zip(low, high, strict=True)] == [
        ends(interval, one) for one in score.tolist()
    ]
    assert covered(low, high, y) == pytest.approx(0.9, abs=0.011)


def test_nothing_is_covered_of_nothing() -> None:
    empty = np.array([])

    assert np.isnan(covered(empty, empty, empty))
