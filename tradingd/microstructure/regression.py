"""Least squares with an intercept, and how sure one may be of its slopes.

t-values are stated twice: from the classical covariance, and from that of Newey & West (1987), "A
Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent Covariance
Matrix", Econometrica 55(3), with Bartlett weights and floor(4 (n/100)^(2/9)) lags, no small-sample
correction.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.microstructure.states import Floats

LEAST: Final = 20
"""Observations below which nothing is fitted."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """One regression.

    Attributes
    ----------
    n : int
        Observations.
    intercept : float or None
        In units of the dependent variable.
    slopes, t, t_hac : tuple of float
        A value a regressor, in units of the dependent variable a unit of the regressor; empty
        where `reason` says why there is none.
    r2, r2_adjusted : float or None
        Share of the variance explained, in sample.
    rank_correlation : float or None
        Spearman's, with a single regressor: what a few extreme intervals cannot move.
    hac_lags : int
        Lags of the Newey-West covariance.
    reason : str
        Why there is no fit; empty where there is one.
    """

    n: int
    intercept: float | None = None
    intercept_t_hac: float | None = None
    slopes: tuple[float, ...] = ()
    t: tuple[float, ...] = ()
    t_hac: tuple[float, ...] = ()
    r2: float | None = None
    r2_adjusted: float | None = None
    rank_correlation: float | None = None
    hac_lags: int = 0
    reason: str = ""


def fit(dependent: Floats, regressors: Floats) -> Fit:
    """Regress (n,) on (n,) or (n, k)."""
    columns = regressors if regressors.ndim == 2 else regressors[:, None]
    n, k = columns.shape
    if n < max(LEAST, 2 * k + 2):
        return Fit(n=n, reason=f"{n} observations; {max(LEAST, 2 * k + 2)} are the least")
    if float(np.ptp(dependent)) == 0:
        return Fit(n=n, reason="the dependent variable does not vary")
    if (np.ptp(columns, axis=0) == 0).any():
        return Fit(n=n, reason="a regressor does not vary")
    # Scaled columns keep the normal equations well conditioned, whatever the units.
    scale = columns.std(axis=0)
    design = np.column_stack((np.ones(n), (columns - columns.mean(axis=0)) / scale))
    gram = design.T @ design
    if np.linalg.cond(gram) > 1e12:
        return Fit(n=n, reason="the regressors depend on each other")
    bread = np.linalg.inv(gram)
    beta = bread @ (design.T @ dependent)
    residuals = dependent - design @ beta
    unexplained = float(residuals @ residuals)
    spread = float(((dependent - dependent.mean()) ** 2).sum())
    if unexplained <= 1e-20 * spread:
        return Fit(n=n, reason="the fit is exact: no error to compare with")
    # Undo the scaling: slope / scale; the intercept is at regressors of 0.
    undo = np.eye(k + 1)
    undo[1:, 1:] = np.diag(1 / scale)
    undo[0, 1:] = -columns.mean(axis=0) / scale
    lags = int(4 * (n / 100) ** (2 / 9))
    plain = undo @ (bread * (unexplained / (n - k - 1))) @ undo.T
    robust = undo @ bread @ _meat(design * residuals[:, None], lags) @ bread @ undo.T
    beta = undo @ beta
    r2 = 1 - unexplained / spread
    t_hac = beta / np.sqrt(np.diag(robust))
    return Fit(
        n=n,
        intercept=float(beta[0]),
        intercept_t_hac=float(t_hac[0]),
        slopes=tuple(map(float, beta[1:])),
        t=tuple(map(float, (beta / np.sqrt(np.diag(plain)))[1:])),
        t_hac=tuple(map(float, t_hac[1:])),
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (n - 1) / (n - k - 1),
        rank_correlation=_rank_correlation(dependent, columns[:, 0]) if k == 1 else None,
        hac_lags=lags,
    )


def _meat(scores: Floats, lags: int) -> Floats:
    """Return (k, k): the long-run covariance of (n, k) scores, times n."""
    total: Floats = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total = total + (1 - lag / (lags + 1)) * (cross + cross.T)
    return total


def _rank_correlation(left: Floats, right: Floats) -> float:
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Floats) -> Floats:
    """Return (n,) ranks; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
