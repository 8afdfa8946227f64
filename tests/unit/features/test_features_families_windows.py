"""Trailing windows against pandas, and item by item against whole arrays."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tradingd.features import rolling, windows
from tradingd.features.series import Floats

LENGTHS = [2, 3, 5, 14, 20, 28, 63, 64]
type Step = Callable[[float], float]


def values_with_gaps(seed: int = 1, count: int = 1500) -> Floats:
    generator = np.random.default_rng(seed)
    values = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, count)))
    values[400:480] = values[400]
    values[generator.integers(500, count, 6)] = np.nan
    return values


def moments(read: Callable[[windows.LiveMoments], float], length: int) -> Step:
    held = windows.LiveMoments(length)

    def step(value: float) -> float:
        held.update(value)
        return read(held)

    return step


def live(name: str, length: int) -> Step:
    steps: dict[str, Callable[[], Step]] = {
        "sum": lambda: windows.LiveSum(length).update,
        "max": lambda: windows.LiveExtreme(length).update,
        "min": lambda: windows.LiveExtreme(length, -1.0).update,
        "mean": lambda: moments(lambda held: held.mean, length),
        "variance": lambda: moments(lambda held: held.squares / (length - 1), length),
        "slope": lambda: windows.LiveSlope(length).update,
        "rank": lambda: windows.LiveRank(length).update,
    }
    return steps[name]()


def batch(name: str, values: Floats, length: int) -> Floats:
    return getattr(rolling, f"rolling_{name}")(values, length)  # type: ignore[no-any-return]


def independent(name: str, values: Floats, length: int) -> Floats:
    column = pd.Series(values).rolling(length)
    answers = {
        "sum": lambda: column.sum(),
        "max": lambda: column.max(),
        "min": lambda: column.min(),
        "mean": lambda: column.mean(),
        "variance": lambda: column.var(),
        "slope": lambda: column.apply(lambda part: np.polyfit(range(length), part, 1)[0], raw=True),
        "rank": lambda: (column.rank() - 1.0) / (length - 1),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array(answers[name]())


NAMES = ["sum", "mean", "variance", "max", "min", "slope", "rank"]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_window_equals_that_of_an_independent_library(name: str, length: int) -> None:
    values = values_with_gaps()
    ours, theirs = batch(name, values, length), independent(name, values, length)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_item_by_item_a_window_equals_that_over_the_array(name: str, length: int) -> None:
    values = values_with_gaps(2)
    step = live(name, length)
    np.testing.assert_allclose(
        batch(name, values, length), [step(float(v)) for v in values], rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize("name", ["sum", "mean", "variance", "slope"])
def test_a_huge_value_leaves_no_trace_once_it_has_left_the_window(name: str) -> None:
    values = np.random.default_rng(3).normal(0.0, 1.0, 300)
    values[50] = 1e18
    clean = values.copy()
    clean[:51] = 0.0
    step = live(name, 20)
    np.testing.assert_allclose(batch(name, values, 20)[80:], batch(name, clean, 20)[80:], rtol=0)
    np.testing.assert_allclose(
        [step(float(v)) for v in values][80:], batch(name, clean, 20)[80:], rtol=1e-11, atol=1e-13
    )


@pytest.mark.parametrize("length", [3, 20, 28])
def test_a_flat_window_deviates_by_exactly_nothing(length: int) -> None:
    values = np.full(100, 0.1)
    assert set(rolling.rolling_squares(values, length)[length - 1 :]) == {0.0}
    held = windows.LiveMoments(length)
    for value in values:
        held.update(float(value))
    assert held.squares == 0.0


@pytest.mark.parametrize("level", [1.0, 1e4, 1e7])
def test_a_small_spread_on_a_high_level_keeps_its_digits(level: float) -> None:
    noise = np.random.default_rng(4).integers(-3, 4, 500) / 1024.0
    exact = rolling.rolling_variance(noise, 20)
    np.testing.assert_allclose(
        rolling.rolling_variance(level + noise, 20)[19:], exact[19:], rtol=1e-14 * level + 1e-12
    )
    step = live("variance", 20)
    np.testing.assert_allclose([step(float(v)) for v in level + noise][19:], exact[19:], rtol=1e-12)


@pytest.mark.parametrize("length", LENGTHS)
def test_covariance_and_correlation_equal_an_independent_library(length: int) -> None:
    first = values_with_gaps(5)
    second = np.random.default_rng(6).normal(0.0, 1.0, len(first)) + 0.05 * np.nan_to_num(first)
    second[30] = np.nan
    expected = pd.Series(first).rolling(length).cov(pd.Series(second))
    np.testing.assert_allclose(
        rolling.rolling_covariance(first, second, length), expected, rtol=1e-7, atol=1e-8
    )
    held = windows.LiveCovariance(length)
    found = []
    for one, two in zip(first, second, strict=True):
        held.update(float(one), float(two))
        found.append(held.correlation)
    np.testing.assert_allclose(
        rolling.rolling_correlation(first, second, length), found, rtol=1e-9, atol=1e-11
    )


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "slope"])
@pytest.mark.parametrize("split_at", [7, 20, 33, 41])
def test_rescaling_equals_having_seen_rescaled_values(name: str, split_at: int) -> None:
    values = np.random.default_rng(7).normal(50.0, 1.0, 120)
    restated = values.copy()
    restated[:split_at] *= 0.25
    parts = {
        "sum": lambda: windows.LiveSum(20),
        "mean": lambda: windows.LiveMoments(20),
        "max": lambda: windows.LiveExtreme(20),
        "min": lambda: windows.LiveExtreme(20, -1.0),
        "slope": lambda: windows.LiveSlope(20),
    }
    held = parts[name]()
    found = []
    for index, value in enumerate(values):
        if index == split_at:
            held.rescale(0.25)
        answer = held.update(float(value))
        found.append(held.mean if isinstance(held, windows.LiveMoments) else answer)
    expected = batch(name, restated, 20)
    np.testing.assert_allclose(found[split_at:], expected[split_at:], rtol=1e-11, atol=1e-12)


def test_a_delay_gives_the_value_of_so_many_items_before() -> None:
    held = windows.LiveShift(2)
    assert [held.update(float(v)) for v in range(4)][2:] == [0.0, 1.0]
    np.testing.assert_array_equal(rolling.shift(np.arange(4.0), 2), [np.nan, np.nan, 0.0, 1.0])
    assert np.isnan(rolling.shift(np.arange(2.0), 5)).all()


@pytest.mark.parametrize("name", NAMES)
def test_fewer_items_than_a_window_have_no_value(name: str) -> None:
    assert np.isnan(batch(name, np.arange(4.0), 5)).all()


def test_a_quotient_by_exactly_nothing_is_missing() -> None:
    np.testing.assert_array_equal(
        rolling.divide(np.array([1.0, 2.0]), np.array([0.0, 4.0])), [np.nan, 0.5]
    )
