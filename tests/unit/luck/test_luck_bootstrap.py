"""Intervals from history drawn again."""

import math

import numpy as np
import pytest

from tradingd.luck.bootstrap import interval, resampled_rows


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        values = np.random.default_rng(seed).standard_normal(200)
        low, high = interval(mean, values, seed, resamples=200, confidence=0.9, block=1)
        covered += low <= 0 <= high
    assert 80 <= covered <= 98


def test_long_blocks_keep_the_memory_of_a_series() -> None:
    noise = np.random.default_rng(1).standard_normal(2_000)
    persistent = np.convolve(noise, np.ones(20), mode="valid")
    short = interval(mean, persistent, 3, block=1)
    long = interval(mean, persistent, 3, block=60)
    assert long[1] - long[0] > 3 * (short[1] - short[0])


def test_rows_of_a_table_are_drawn_whole() -> None:
    left = np.arange(100.0)
    table = np.column_stack((left, -left))
    low, high = interval(lambda rows: float(rows.sum()), table, 1, resamples=50)
    assert (low, high) == (0, 0)


def test_the_same_seed_draws_the_same_rows() -> None:
    first = [rows.tolist() for rows in resampled_rows(50, 9, resamples=3)]
    assert first == [rows.tolist() for rows in resampled_rows(50, 9, resamples=3)]
    assert first != [rows.tolist() for rows in resampled_rows(50, 10, resamples=3)]


def test_blocks_have_about_the_stated_length() -> None:
    (rows,) = resampled_rows(50_000, 2, resamples=1, block=25)
    breaks = (np.diff(rows) % 50_000 != 1).sum() + 1
    assert 50_000 / breaks == pytest.approx(25, rel=0.1)


def test_a_statistic_without_values_has_no_interval() -> None:
    low, high = interval(lambda _: math.nan, np.ones(5), 1, resamples=5)
    assert math.isnan(low)
    assert math.isnan(high)


def test_resamples_without_a_value_are_left_out() -> None:
    def first_if_even(values: np.ndarray) -> float:
        return 1.0 if values[0] % 2 == 0 else math.inf

    assert interval(first_if_even, np.arange(10.0), 4) == (1, 1)
