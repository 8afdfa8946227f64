"""How good the best of many trials would look by luck alone.

Bailey and Lopez de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest
Overfitting and Non-Normality", Journal of Portfolio Management 40 (5), 2014.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, variance

_EULER_MASCHERONI = 0.577_215_664_901_532_9


def expected_maximum_sharpe(sharpes: Sequence[float]) -> float | None:
    """Return the Sharpe ratio the best of these trials would show if none had any skill.

    ``sqrt(V) x ((1 - g) x Z(1 - 1/N) + g x Z(1 - 1/(N e)))`` with V the variance of the trials'
    ratios, N their number, g the Euler-Mascheroni constant and Z the normal quantile function.
    Same unit (annualised or not) as the input. Trials that resemble each other count fully, so
    the bound is stricter than it had to be for them.

    Returns
    -------
    float or None
        None below two trials: there is no spread to judge by.
    """
    trials = len(sharpes)
    if trials < 2:
        return None
    quantile = NormalDist().inv_cdf
    spread = math.sqrt(variance(sharpes))
    near = quantile(1 - 1 / trials)
    far = quantile(1 - 1 / (trials * math.e))
    return spread * ((1 - _EULER_MASCHERONI) * near + _EULER_MASCHERONI * far)


def deflated_sharpe(
    sharpe: float, probabilistic_sharpe: float, expected_maximum: float
) -> float | None:
    """Return the probability that the true Sharpe ratio exceeds what luck alone would show.

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
    normal = NormalDist()
    score = normal.inv_cdf(probabilistic_sharpe) * (1 - expected_maximum / sharpe)
    return normal.cdf(score)
