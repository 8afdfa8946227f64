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
    from sklearn.linear_model import LogisticRegression

    target = _smooth_targets(success)
    middle, spread = float(score.mean()), float(score.std())
    # A soft target is two rows, a success and a failure, that share the weight.
    column = np.tile((score - middle) / spread, 2)[:, None]
    classes = np.repeat([1, 0], len(score))
    shares = np.concatenate([weight * target, weight * (1 - target)])
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(column, classes, shares)
    slope = float(fitted.coef_[0, 0]) / spread
    if slope <= 0:
        return _level(success, weight)
    intercept = float(fitted.intercept_[0]) - slope * middle
    return Calibration(kind="platt", slope=slope, intercept=intercept, rows=len(score))


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
