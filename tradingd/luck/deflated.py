"""How good the best of many trials would look by luck alone, and whether the best was better.

Source: Bailey & Lopez de Prado (2014), "The Deflated Sharpe Ratio: Correcting for Selection Bias,
Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40(5).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, variance
from typing import Final

from tradingd.luck.arrays import Floats
from tradingd.luck.sharpe import probabilistic_sharpe

_EULER_MASCHERONI: Final = 0.577_215_664_901_532_9
_NORMAL: Final = NormalDist()


def expected_maximum(trials: int) -> float:
    """Return what the largest of so many independent standard normal numbers is expected to be.

    ``(1 - g) x Z(1 - 1/N) + g x Z(1 - 1/(N e))`` with N the trials, g the Euler-Mascheroni
    constant and Z the normal quantile function. 0 for one trial: nothing was selected.
    """
    if trials < 2:
        return 0.0
    near = _NORMAL.inv_cdf(1 - 1 / trials)
    far = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return (1 - _EULER_MASCHERONI) * near + _EULER_MASCHERONI * far


def expected_maximum_sharpe(sharpes: Sequence[float]) -> float | None:
    """Return the Sharpe ratio the best of these trials would show if none had any skill.

    ``sqrt(V)`` times the expected maximum, V the variance of the trials' ratios. Same unit
    (annualised or not) as the input. Trials that resemble each other count fully, so the bound is
    stricter than it had to be for them.

    Returns
    -------
    float or None
        None below two trials: there is no spread to judge by.
    """
    if len(sharpes) < 2:
        return None
    return math.sqrt(variance(sharpes)) * expected_maximum(len(sharpes))


def deflated_sharpe(returns: Floats, *, trials: int, variance_of_trials: float) -> float:
    """Return the probability that the true Sharpe exceeds what luck shows in so many trials.

    Parameters
    ----------
    returns : array of float
        Of the selected trial; per session, and they vary.
    trials : int
        How many were really tried, the failed and forgotten ones included.
    variance_of_trials : float
        Variance of the trials' Sharpe ratios, per session.
    """
    by_luck = math.sqrt(variance_of_trials) * expected_maximum(trials)
    return probabilistic_sharpe(returns, by_luck)


def deflate(sharpe: float, probabilistic_sharpe: float, expected_maximum: float) -> float | None:
    """Return the deflated Sharpe ratio of a trial whose returns are no longer at hand.

    The score behind the probabilistic Sharpe ratio is proportional to ``SR - SR*``, there with
    ``SR* = 0``. Moving ``SR*`` to the expected maximum scales it by ``1 - expected / sharpe``;
    skew, kurtosis and sample size are in the score already.

    Parameters
    ----------
    sharpe, expected_maximum : float
        In the same unit, annualised or not.
    probabilistic_sharpe : float
        Probability that the true ratio is above zero.

    Returns
    -------
    float or None
        None where the score cannot be recovered: a ratio of 0, a probability of 0 or 1.
    """
    if sharpe == 0 or not 0 < probabilistic_sharpe < 1:
        return None
    score = _NORMAL.inv_cdf(probabilistic_sharpe) * (1 - expected_maximum / sharpe)
    return _NORMAL.cdf(score)
