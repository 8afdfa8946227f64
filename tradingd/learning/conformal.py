"""Intervals that cover a stated share of labels, whatever the model is worth.

Split conformal prediction: Vovk, Gammerman & Shafer (2005), "Algorithmic Learning in a Random
World"; Lei et al. (2018), "Distribution-Free Predictive Inference for Regression", JASA 113(523).
Of n residuals of rows the model never saw, the k-th smallest with
``k = ceil((n + 1) * (1 - alpha / 2))`` bounds a further one from above with probability at least
``1 - alpha / 2`` if all n + 1 are exchangeable; likewise from below.

Markets are not exchangeable: the stated coverage is what to expect if tomorrow is like the rows it
was fitted on. What it came to out of sample is measured (`covered`).
"""

import math

import numpy as np

from tradingd.domain.manifest import ConformalInterval
from tradingd.learning.dataset import Floats


def fit_interval(score: Floats, y: Floats, coverage: float) -> ConformalInterval | None:
    """Fit on rows that the model has not seen.

    Parameters
    ----------
    score, y : array of float
        What the model said of each row, and its label.
    coverage : float
        Share meant to lie inside, 0 to 1; half of the rest is left on either side.

    Returns
    -------
    ConformalInterval or None
        None: too few rows to bound anything (at least 19 for 90 %).
    """
    residual = np.sort(y - score)
    count = len(residual)
    tail = (1 - coverage) / 2
    # Rounded first: in binary (199 + 1) * 0.95 may be a shade above 190.
    upper = math.ceil(round((count + 1) * (1 - tail), 9))
    if upper > count:
        return None
    lower = count + 1 - upper
    return ConformalInterval(
        coverage_percent=coverage * 100,
        below=-float(residual[lower - 1]),
        above=float(residual[upper - 1]),
    )


def bounds(interval: ConformalInterval, score: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper end around each score."""
    return score - interval.below, score + interval.above


def covered(low: Floats, high: Floats, y: Floats) -> float:
    """Return the share of labels inside; nan without any."""
    if len(y) == 0:
        return math.nan
    return float(np.mean((low <= y) & (y <= high)))
