"""What a training says of its luck, and what it cannot say."""

import numpy as np

from tradingd.app.modelling.overfitting import overfitting
from tradingd.learning.report import Overfitting, TrialFacts
from tradingd.luck.deflated import deflated_sharpe
from tradingd.luck.pbo import pbo

RNG = np.random.default_rng(5)
RETURNS = RNG.normal(0.001, 0.01, 400)
TRIALS = RNG.normal(0.0, 0.01, (400, 6))
SHARPES = [0.01, 0.03, -0.02, 0.05, 0.0, 0.02, 0.01]


def told(returns: np.ndarray, trials: np.ndarray, sharpes: list[float]) -> Overfitting:
    facts = [
        TrialFacts(number=one, parameters={"depth": one}, score=0.5 + one / 100, sharpe=0.0)
        for one in range(trials.shape[1] if trials.ndim == 2 else 0)
    ]
    return overfitting(
        returns,
        trial_returns=trials,
        trials=facts,
        every_sharpe=sharpes,
        count=len(sharpes),
        paths=[],
    )


def test_it_counts_every_trial_of_the_registry_and_not_only_its_own() -> None:
    found = told(RETURNS, TRIALS, SHARPES)
    assert found.trials == len(SHARPES)
    assert found.deflated_sharpe == deflated_sharpe(
        RETURNS, trials=len(SHARPES), variance_of_trials=float(np.var(SHARPES, ddof=1))
    )
    assert found.pbo == pbo(TRIALS).probability
    assert found.pbo_loss == pbo(TRIALS).loss


def test_more_trials_make_the_same_result_less_likely() -> None:
    few, many = told(RETURNS, TRIALS, SHARPES), told(RETURNS, TRIALS, SHARPES * 20)
    assert few.deflated_sharpe is not None
    assert many.deflated_sharpe is not None
    assert many.deflated_sharpe < few.deflated_sharpe


def test_one_trial_has_no_pbo_and_no_deflated_ratio_and_says_why() -> None:
    found = told(RETURNS, np.empty((0, 0)), [0.02])
    assert found.pbo is None
    assert found.deflated_sharpe is None
    assert any("PBO" in one for one in found.why)
    assert any("deflated" in one for one in found.why)


def test_a_judge_that_never_traded_has_no_ratio() -> None:
    found = told(np.zeros(400), TRIALS, SHARPES)
    assert found.probabilistic_sharpe is None
    assert found.minimum_track_record is None
    assert any(one.startswith("Sharpe") for one in found.why)
