"""From a model's score to its probability and interval, one number at a time.

Training and serving share these functions, so that what a manifest states gives the same bits in
both. It is fitted in `tradingd.learning`.
"""

import math
from bisect import bisect_right

from tradingd.domain.manifest import Calibration, ConformalInterval


def probability(calibration: Calibration, score: float) -> float | None:
    """Return what a calibration makes of a score; None where the score is not a number."""
    if math.isnan(score):
        return None
    if calibration.kind == "isotonic":
        return _along(calibration.scores, calibration.probabilities, score)
    if calibration.kind == "platt":
        assert calibration.slope is not None
        assert calibration.intercept is not None
        return logistic(calibration.slope * score + calibration.intercept)
    return score


def ends(interval: ConformalInterval, score: float) -> tuple[float, float]:
    """Return the lower and upper end around a score."""
    return score - interval.below, score + interval.above


def logistic(value: float) -> float:
    """Return 1 / (1 + exp(-value)) without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    grown = math.exp(value)
    return grown / (1.0 + grown)


def _along(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """Interpolate between corners whose xs rise, flat outside of them."""
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    right = bisect_right(xs, x)
    left = right - 1
    share = (x - xs[left]) / (xs[right] - xs[left])
    return ys[left] + share * (ys[right] - ys[left])
