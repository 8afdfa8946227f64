"""How scores become probabilities.

Sources
-------
Platt (1999), "Probabilistic Outputs for Support Vector Machines": a logistic curve over the score,
fitted to targets drawn in by one row of each class, so that few rows do not give certainty.
Zadrozny & Elkan (2002), "Transforming Classifier Scores into Accurate Multiclass Probability
Estimates": isotonic regression (pool adjacent violators).

Neither ever turns a score around: where higher scores went with fewer successes, the probability
is the base rate for all.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.calibration import probability
from tradingd.domain.manifest import Calibration
from tradingd.learning.dataset import Dataset, Floats

type Task = Literal["classification", "regression", "ranking"]
type Kind = Literal["platt", "isotonic", "none"]
type Mask = NDArray[np.bool_]

LEAST_ROWS: Final = 20
_HALF: Final = 0.5
_STEPS: Final = 100
_TINY: Final = 1e-15


def outcome(task: Task, dataset: Dataset) -> Mask:
    """Return whether each row succeeded: its class, or whether its gain is above zero."""
    return dataset.y > _HALF if task == "classification" else dataset.gain > 0


def fit_calibration(
    kind: Kind, score: Floats, success: Mask, weight: Floats | None = None
) -> Calibration:
    """Fit on rows that the model has not seen.

    Parameters
    ----------
    kind : {"platt", "isotonic", "none"}
    score : array of float
        What the model said.
    success : array of bool
        What happened.
    weight : array of float, optional
        None: all alike.

    Returns
    -------
    Calibration
        The base rate, whatever the score, where fewer than 20 rows are given.
    """
    if kind == "none":
        return Calibration(kind="none", rows=0)
    weights = np.ones(len(score)) if weight is None else weight
    if len(score) < LEAST_ROWS or np.ptp(score) == 0:
        return _level(success, weights)
    return (_isotonic if kind == "isotonic" else _platt)(score, success, weights)


def probabilities(calibration: Calibration, score: Floats) -> Floats:
    """Return the probability of each score, to the bit what serving makes of it; nan: none."""
    answers = [probability(calibration, one) for one in score.tolist()]
    return np.array([np.nan if one is None else one for one in answers], dtype=np.float64)


def _platt(score: Floats, success: Mask, weight: Floats) -> Calibration:
    middle, spread = float(score.mean()), float(score.std())
    target = _smooth_targets(success)
    scaled = _likeliest((score - middle) / spread, target, weight)
    slope = scaled[0] / spread
    if slope <= 0:
        return _level(success, weight)
    intercept = scaled[1] - slope * middle
    return Calibration(kind="platt", slope=slope, intercept=intercept, rows=len(score))


def _likeliest(x: Floats, target: Floats, weight: Floats) -> tuple[float, float]:
    """Return slope and intercept of the likeliest logistic curve.

    Newton's method with halved steps (Lin, Lin & Weng, 2007, "A Note on Platt's Probabilistic
    Outputs for Support Vector Machines"), in plain sums: scikit-learn's solver rounds differently
    with the number of threads its linear algebra happens to have.
    """
    base = float(np.average(target, weights=weight))
    slope, intercept = 0.0, float(np.log(base / (1 - base)))
    loss = _loss(slope * x + intercept, target, weight)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(slope * x + intercept)))
        miss, curve = weight * (chance - target), weight * chance * (1 - chance)
        up, across, down = (float((curve * power).sum()) for power in (x * x, x, np.ones_like(x)))
        along, aside = float((miss * x).sum()), float(miss.sum())
        scale = up * down - across * across
        if scale <= 0:
            break
        by_slope = (down * along - across * aside) / scale
        by_intercept = (up * aside - across * along) / scale
        share = 1.0
        while share > _TINY:
            tried = slope - share * by_slope, intercept - share * by_intercept
            now = _loss(tried[0] * x + tried[1], target, weight)
            if now <= loss:
                break
            share /= 2
        else:
            break
        (slope, intercept), gained, loss = tried, loss - now, now
        if gained <= _TINY * abs(loss):
            break
    return slope, intercept


def _loss(line: Floats, target: Floats, weight: Floats) -> float:
    return float((weight * (np.logaddexp(0, line) - target * line)).sum())


def _level(success: Mask, weight: Floats) -> Calibration:
    """Return the base rate for every score; a half without rows."""
    if len(success) == 0:
        return Calibration(kind="platt", slope=0.0, intercept=0.0, rows=0)
    base = float(np.average(_smooth_targets(success), weights=weight))
    return Calibration(
        kind="platt", slope=0.0, intercept=float(np.log(base / (1 - base))), rows=len(success)
    )


def _smooth_targets(success: Mask) -> Floats:
    """Return Platt's targets: (N+ + 1) / (N+ + 2) of successes, 1 / (N- + 2) of failures."""
    hits = int(success.sum())
    misses = len(success) - hits
    return np.where(success, (hits + 1) / (hits + 2), 1 / (misses + 2))


def _isotonic(score: Floats, success: Mask, weight: Floats) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    # No number of rows makes certain: the ends stay as far from 0 and 1 as one more row would put.
    closest = 1 / (len(score) + 2)
    fitted = IsotonicRegression(y_min=closest, y_max=1 - closest, out_of_bounds="clip").fit(
        score, success.astype(np.float64), sample_weight=weight
    )
    return Calibration(
        kind="isotonic",
        scores=tuple(fitted.X_thresholds_.tolist()),
        probabilities=tuple(fitted.y_thresholds_.tolist()),
        rows=len(score),
    )
