"""What a model looks at: SHAP values and gains, and whether steps agree on them.

Lundberg & Lee (2017), "A Unified Approach to Interpreting Model Predictions"; for trees, Lundberg
et al. (2020), "From local explanations to global understanding with explainable AI for trees",
path-dependent, as LightGBM and XGBoost compute them.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from tradingd.learning.dataset import Floats
from tradingd.learning.estimator import Fitted
from tradingd.learning.learners.rows import centred_ranks
from tradingd.learning.report import Importance

ROWS: Final = 2_000


def shap_summary(
    fitted: Fitted, x: Floats, names: Sequence[str], rows: int = ROWS
) -> dict[str, float]:
    """Return the mean absolute SHAP value of each feature, largest first.

    In the unit of the margin (log-odds for a classification), over at most `rows` rows spread
    evenly over `x`.
    """
    shares = np.abs(fitted.contributions(_spread(x, rows))[:, :-1]).mean(axis=0)
    order = np.argsort(-shares, kind="stable")
    return {names[one]: float(shares[one]) for one in order}


def importances(
    fitted: Fitted, x: Floats, names: Sequence[str], fold_gains: Floats
) -> tuple[Importance, ...]:
    """Return each feature's importance, largest share of the gain first.

    Parameters
    ----------
    fitted : Fitted
        Whose SHAP values are taken over `x`.
    fold_gains : array of float, shape (steps, features)
        Gains of the steps' models: `gain_share` is their mean share, `gain_low` and `gain_high`
        the least and largest.
    """
    shares = gain_shares(fold_gains)
    means = shares.mean(axis=0)
    shap = shap_summary(fitted, x, names)
    return tuple(
        Importance(
            name=names[one],
            gain_share=float(means[one]),
            mean_abs_shap=shap[names[one]],
            gain_low=float(shares[:, one].min()),
            gain_high=float(shares[:, one].max()),
        )
        for one in np.argsort(-means, kind="stable")
    )


def importance_stability(fold_gains: Floats) -> float | None:
    """Return the mean rank correlation of the features' gains between any two steps.

    1: all steps agree; 0: they look at whatever they happen to. None with fewer than two steps or
    features, or where a step has no gains.
    """
    if min(fold_gains.shape) < 2:
        return None
    step = np.repeat(np.arange(len(fold_gains)), fold_gains.shape[1])
    ranks = centred_ranks(step, fold_gains.ravel()).reshape(fold_gains.shape)
    if (np.ptp(ranks, axis=1) == 0).any():
        return None
    every: Floats = np.asarray(np.corrcoef(ranks))
    return float(np.mean([every[a, b] for a, b in combinations(range(len(every)), 2)]))


def gain_shares(gains: Floats) -> Floats:
    """Return gains as shares of each step's sum; 0 in a step without gains."""
    total = gains.sum(axis=1, keepdims=True)
    return np.divide(gains, total, out=np.zeros_like(gains), where=total > 0)


def row_reasons(
    fitted: Fitted, row: Floats, names: Sequence[str], most: int = 10
) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Return the base value of one row's margin and its largest contributions, by their size."""
    shares = fitted.contributions(row[None, :])[0]
    order = np.argsort(-np.abs(shares[:-1]), kind="stable")[:most]
    return float(shares[-1]), tuple((names[one], float(shares[one])) for one in order)


def _spread(x: Floats, rows: int) -> Floats:
    if len(x) <= rows:
        return x
    return x[np.linspace(0, len(x) - 1, rows).astype(np.int64)]
