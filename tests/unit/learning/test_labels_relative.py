"""Labels against the mean of a moment."""

import numpy as np

from tradingd.learning.dataset import Dataset
from tradingd.learning.labels.relative import against_the_mean

GAINS = np.array([0.01, 0.03, -0.02, 0.02, 0.02])


def rows() -> Dataset:
    """Three symbols at one moment, two at the next."""
    ts = np.array([1, 1, 1, 2, 2])
    return Dataset(
        names=("f",),
        universe=("A", "B", "C"),
        symbol=np.array([0, 1, 2, 0, 1]),
        ts=ts,
        end=ts + 1,
        session=ts - 1,
        x=np.zeros((5, 1)),
        y=np.full(5, np.nan),
        gain=GAINS,
        weight=np.ones(5),
    )


def test_a_number_is_the_gain_less_the_mean_of_its_moment() -> None:
    found = against_the_mean(rows(), classify=False)
    np.testing.assert_allclose(found.y, [0.01 - 0.02 / 3, 0.03 - 0.02 / 3, -0.02 - 0.02 / 3, 0, 0])
    assert np.array_equal(found.gain, GAINS)


def test_a_class_is_whether_the_difference_is_above_the_threshold() -> None:
    assert against_the_mean(rows(), classify=True).y.tolist() == [1, 1, 0, 0, 0]
    assert against_the_mean(rows(), classify=True, threshold=0.01).y.tolist() == [0, 1, 0, 0, 0]
