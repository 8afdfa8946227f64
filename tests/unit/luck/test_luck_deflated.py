"""What luck alone would show."""

import math

import numpy as np
import pytest

from tradingd.luck.deflated import (
    deflate,
    deflated_sharpe,
    expected_maximum,
    expected_maximum_sharpe,
)
from tradingd.luck.length import minimum_backtest_length
from tradingd.luck.sharpe import Shape


def test_expected_maximum_follows_the_published_formula() -> None:
    # Two trials: Z(1 - 1/2) = Z(0.5) = 0, Z(1 - 1/(2e)) = Z(0.8160603) = 0.900456; with the
    # Euler-Mascheroni constant 0.5772157 the factor is 0.5772157 x 0.900456 = 0.519757.
    # Sharpes 1 and 3: sample variance 2, deviation 1.4142136; 1.4142136 x 0.519757 = 0.735048.
    assert expected_maximum_sharpe([1.0, 3.0]) == pytest.approx(0.735048, abs=1e-4)


def test_expected_maximum_weighs_both_quantiles() -> None:
    # Four trials: Z(0.75) = 0.674490 and Z(1 - 1/(4e)) = Z(0.908030) = 1.328722; weighted
    # 0.422784 x 0.674490 + 0.577216 x 1.328722 = 1.052123. Sharpes 1, 2, 3, 4: sample variance
    # 5/3, deviation 1.290994; 1.290994 x 1.052123 = 1.358285.
    assert expected_maximum_sharpe([1.0, 2.0, 3.0, 4.0]) == pytest.approx(1.358285, abs=1e-5)


def test_expected_maximum_grows_with_the_number_of_trials() -> None:
    few = expected_maximum_sharpe([0.0, 1.0] * 5)
    many = expected_maximum_sharpe([0.0, 1.0] * 500)
    assert few is not None
    assert many is not None
    assert many > few


def test_one_trial_has_no_spread_to_judge_by() -> None:
    assert expected_maximum_sharpe([2.0]) is None


def test_deflating_equals_the_probabilistic_ratio_at_a_higher_threshold() -> None:
    # Normal returns: factor 1 - 0 x SR + (3 - 1)/4 x SR^2 with SR 0.1 and n 401 is 1.005.
    # At threshold 0: 0.1 x 20 / sqrt(1.005) = 1.99502; at 0.04: 0.06 x 20 / sqrt(1.005) = 1.19701.
    root = math.sqrt(1.005)
    at_zero = 0.5 * (1 + math.erf(0.1 * 20 / root / math.sqrt(2)))
    at_luck = 0.5 * (1 + math.erf(0.06 * 20 / root / math.sqrt(2)))
    assert deflate(0.1, at_zero, 0.04) == pytest.approx(at_luck, abs=1e-9)


@pytest.mark.parametrize(("sharpe", "probability"), [(0.0, 0.5), (3.0, 1.0), (-3.0, 0.0)])
def test_a_score_that_cannot_be_recovered_is_none(sharpe: float, probability: float) -> None:
    assert deflate(sharpe, probability, 1.0) is None


# Bailey & Lopez de Prado (2014): the best of N trials has an annual Sharpe ratio of 2.5 over 1,250
# daily returns, 250 a year; the variance of the trials' annual ratios is 1/2.
PER_DAY = 2.5 / math.sqrt(250)


def by_luck(trials: int) -> float:
    return math.sqrt(0.5 / 250) * expected_maximum(trials)


def test_the_papers_hundred_trials_deflate_its_example_below_95_percent() -> None:
    found = Shape(sharpe=PER_DAY, skew=-3, kurtosis=10)
    assert by_luck(100) == pytest.approx(0.1132, abs=5e-5)
    assert found.probability_above(by_luck(100), 1_250) == pytest.approx(0.9004, abs=5e-5)


def test_the_papers_example_passes_after_46_trials_and_if_normal_after_88() -> None:
    found = Shape(sharpe=PER_DAY, skew=-3, kurtosis=10)
    assert found.probability_above(by_luck(46), 1_250) == pytest.approx(0.9505, abs=5e-5)
    normal = Shape(sharpe=PER_DAY)
    assert normal.probability_above(by_luck(88), 1_250) == pytest.approx(0.9505, abs=5e-5)


def test_the_deflated_ratio_of_returns_takes_their_own_moments() -> None:
    returns = np.where(np.arange(1_250) % 10 == 0, -0.02, 0.004)
    # Losses are a share p = 1/10: skew (1 - 2(1-p)) / sqrt(p(1-p)),
    # kurtosis 3 + (1 - 6p(1-p)) / (p(1-p)).
    shape = Shape(
        sharpe=returns.mean() / returns.std(ddof=1),
        skew=(1 - 2 * 0.9) / math.sqrt(0.09),
        kurtosis=3 + (1 - 6 * 0.09) / 0.09,
    )
    threshold = math.sqrt(0.002) * expected_maximum(100)
    expected = shape.probability_above(threshold, len(returns))
    assert deflated_sharpe(returns, trials=100, variance_of_trials=0.002) == pytest.approx(expected)


def test_one_trial_is_not_deflated() -> None:
    assert expected_maximum(1) == 0


def test_the_maximum_of_many_draws_is_as_expected() -> None:
    draws = np.random.default_rng(5).standard_normal((20_000, 45)).max(axis=1)
    assert expected_maximum(45) == pytest.approx(draws.mean(), rel=0.02)


def test_the_papers_five_years_allow_45_trials() -> None:
    assert minimum_backtest_length(45) == pytest.approx(5.0, abs=0.01)
    assert minimum_backtest_length(46) > 5
    assert minimum_backtest_length(45, annual_sharpe=2) == pytest.approx(1.25, abs=0.01)
    assert minimum_backtest_length(45) < 2 * math.log(45)
