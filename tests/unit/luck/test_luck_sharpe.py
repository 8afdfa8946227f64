import math

import numpy as np
import pandas as pd
import pytest
import quantstats.stats as qs

from tradingd.luck import sharpe as sr
from tradingd.luck.bootstrap import bootstrap_sharpe
from tradingd.luck.sharpe import Shape


def sample(sessions: int = 500, mean: float = 0.0005) -> np.ndarray:
    rng = np.random.default_rng(3)
    return mean + 0.01 * rng.standard_t(5, sessions)


def test_the_t_statistic_is_the_mean_over_its_standard_error() -> None:
    returns = np.array([0.01, -0.005, 0.02, 0.0])
    # mean 0.00625; squared deviations sum to 3.6875e-4, so s = sqrt(1.2291667e-4) = 0.01108678
    assert sr.t_statistic(returns) == pytest.approx(0.00625 / (0.01108678 / 2), rel=1e-6)


def test_the_paper_example_of_a_normal_track_record() -> None:
    # Without skew and with kurtosis 3 the factor is 1 + SR^2 / 2.
    half = 0.01 * np.array([1, -1] * 500) + 0.001
    ratio = sr.sharpe(half)
    # Two-valued returns: skew 0, kurtosis 1, so the factor is exactly 1.
    assert sr.sharpe_variance_factor(half) == pytest.approx(1)
    z = ratio * math.sqrt(len(half) - 1)
    assert sr.probabilistic_sharpe(half) == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))))
    assert sr.minimum_track_record(half) == pytest.approx(1 + (1.6448536 / ratio) ** 2, rel=1e-6)


def test_an_independent_library_agrees_on_the_probabilistic_sharpe() -> None:
    returns = sample()
    other = qs.probabilistic_sharpe_ratio(pd.Series(returns))
    # It corrects skew and kurtosis for small samples, which moves the third digit.
    assert sr.probabilistic_sharpe(returns) == pytest.approx(other, rel=2e-3)


def test_a_track_record_of_the_minimum_length_is_just_95_percent_sure() -> None:
    returns = sample(mean=0.001)
    needed = sr.minimum_track_record(returns)
    factor = sr.sharpe_variance_factor(returns)
    z = sr.sharpe(returns) * math.sqrt((needed - 1) / factor)
    assert 0.5 * (1 + math.erf(z / math.sqrt(2))) == pytest.approx(0.95)


def test_a_higher_threshold_is_harder_to_beat() -> None:
    returns = sample(mean=0.001)
    assert sr.probabilistic_sharpe(returns, 0.05) < sr.probabilistic_sharpe(returns)


def test_the_bootstrap_interval_holds_the_estimate_and_repeats_by_seed() -> None:
    returns = sample()
    low, high = bootstrap_sharpe(returns, 7)
    assert low < sr.sharpe(returns) * math.sqrt(252) < high
    assert bootstrap_sharpe(returns, 7) == (low, high)
    assert bootstrap_sharpe(returns, 8) != (low, high)


def test_the_bootstrap_interval_has_about_the_width_theory_gives() -> None:
    rng = np.random.default_rng(11)
    returns = 0.0003 + 0.01 * rng.standard_normal(1_000)
    low, high = bootstrap_sharpe(returns, 7)
    # Independent normal returns: the standard error of an annual Sharpe is about sqrt(252 / n).
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(252 / 1_000), rel=0.2)


def test_the_bootstrap_survives_resamples_without_variation() -> None:
    low, high = bootstrap_sharpe(np.array([0.01, -0.01]), 7)
    assert math.isfinite(low)
    assert math.isfinite(high)


# Bailey & Lopez de Prado (2012): a fund's 24 months, mean 3.6 %, deviation 7.9 %.
FUND = Shape(sharpe=0.458, skew=-2.448, kurtosis=10.164)


def test_the_papers_fund_is_sure_if_normal_and_not_sure_as_it_is() -> None:
    normal = Shape(sharpe=FUND.sharpe)
    assert normal.probability_above(0, 24) == pytest.approx(0.982, abs=5e-4)
    assert FUND.probability_above(0, 24) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(
    ("periods", "years"),
    [(252, 2.73), (52, 2.83), (12, 3.24)],
    ids=["daily", "weekly", "monthly"],
)
def test_the_papers_years_to_tell_an_annual_sharpe_of_2_from_1(periods: int, years: float) -> None:
    root = math.sqrt(periods)
    needed = Shape(sharpe=2 / root).observations_needed(1 / root)
    assert needed / periods == pytest.approx(years, abs=5e-3)


def test_the_papers_hedge_fund_months_need_a_longer_record() -> None:
    root = math.sqrt(12)
    funds = Shape(sharpe=2 / root, skew=-0.72, kurtosis=5.78)
    assert funds.observations_needed(1 / root) / 12 == pytest.approx(4.99, abs=5e-3)
