"""What luck alone would show."""

import math

import pytest

from tradingd.app.multiplicity import deflated_sharpe, expected_maximum_sharpe


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
    assert deflated_sharpe(0.1, at_zero, 0.04) == pytest.approx(at_luck, abs=1e-9)


@pytest.mark.parametrize(("sharpe", "probability"), [(0.0, 0.5), (3.0, 1.0), (-3.0, 0.0)])
def test_a_score_that_cannot_be_recovered_is_none(sharpe: float, probability: float) -> None:
    assert deflated_sharpe(sharpe, probability, 1.0) is None
