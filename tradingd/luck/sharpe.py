"""How sure a Sharpe ratio is, and how long a record makes it sure.

Source: Bailey & Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier", Journal of Risk
15(2): probabilistic Sharpe ratio (eq. 10 of the working paper) and minimum track record length
(eq. 11).

All Sharpe ratios here are per session unless named annual.
"""

from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np

from tradingd.luck.arrays import Floats

SESSIONS_PER_YEAR: Final = 252
CONFIDENCE: Final = 0.95
_NORMAL: Final = NormalDist()


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What the error of a Sharpe ratio depends on.

    Parameters
    ----------
    sharpe : float
        Mean over deviation, per observation.
    skew, kurtosis : float
        Population moments; kurtosis is 3 for a normal distribution.
    """

    sharpe: float
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def variance_factor(self) -> float:
        """``1 - skew*SR + (kurtosis-1)/4 * SR^2``: how fat tails widen a Sharpe ratio's error."""
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2

    def probability_above(self, threshold: float, observations: int) -> float:
        """Return the probability that the true Sharpe exceeds `threshold`.

        ``Phi((SR - SR*) * sqrt(n - 1) / sqrt(1 - skew*SR + (kurtosis-1)/4*SR^2))``.
        """
        excess = self.sharpe - threshold
        return _NORMAL.cdf(excess * float(np.sqrt((observations - 1) / self.variance_factor)))

    def observations_needed(self, threshold: float, confidence: float = CONFIDENCE) -> float:
        """Return how many observations make it sure that the true Sharpe exceeds `threshold`.

        ``1 + (1 - skew*SR + (kurtosis-1)/4*SR^2) * (z / (SR - SR*))^2``; defined for SR > SR*.
        """
        z = _NORMAL.inv_cdf(confidence)
        return 1 + self.variance_factor * (z / (self.sharpe - threshold)) ** 2


def shape_of(returns: Floats) -> Shape:
    """Measure the Sharpe ratio, skew and kurtosis of returns that vary."""
    scaled = (returns - returns.mean()) / returns.std()
    return Shape(
        sharpe=sharpe(returns),
        skew=float((scaled**3).mean()),
        kurtosis=float((scaled**4).mean()),
    )


def sharpe(returns: Floats) -> float:
    """Mean over sample deviation (not annual)."""
    return float(returns.mean() / returns.std(ddof=1))


def t_statistic(returns: Floats) -> float:
    """Mean over its standard error: Sharpe x sqrt(n)."""
    return sharpe(returns) * float(np.sqrt(len(returns)))


def sharpe_variance_factor(returns: Floats) -> float:
    """``1 - skew*SR + (kurtosis-1)/4 * SR^2``: how fat tails widen the error of a Sharpe ratio."""
    return shape_of(returns).variance_factor


def probabilistic_sharpe(returns: Floats, threshold: float = 0.0) -> float:
    """Probability that the true Sharpe exceeds `threshold` (per session).

    With the expected maximum of many trials as `threshold` it is the deflated Sharpe ratio.
    """
    return shape_of(returns).probability_above(threshold, len(returns))


def minimum_track_record(returns: Floats, threshold: float = 0.0) -> float:
    """Sessions needed to be 95 % sure that the Sharpe exceeds `threshold`.

    Defined for a Sharpe ratio above `threshold`.
    """
    return shape_of(returns).observations_needed(threshold)
