"""Logistic regression of a direction on one number, from weighted bins."""

import msgspec
import numpy as np

from tradingd.microstructure.regression import LEAST
from tradingd.microstructure.states import Floats

_STEPS = 50


class Logistic(msgspec.Struct, frozen=True, kw_only=True):
    """P(up) = 1 / (1 + exp(-(intercept + slope x))), by maximum likelihood.

    Attributes
    ----------
    n : float
        Weight of all observations.
    slope_z : float or None
        Slope over its standard error (inverse Fisher information).
    pseudo_r2 : float or None
        McFadden's: 1 - log likelihood / log likelihood of the constant alone.
    square_residual, square_residual_constant : float or None
        Mean squared error of P(up); of the constant alone.
    auc : float or None
        Chance that a random rise had a larger x than a random fall (ties count half).
    reason : str
        Why there is no fit; empty where there is one.
    """

    n: float
    intercept: float | None = None
    slope: float | None = None
    slope_z: float | None = None
    pseudo_r2: float | None = None
    square_residual: float | None = None
    square_residual_constant: float | None = None
    auc: float | None = None
    reason: str = ""


def logistic(x: Floats, down: Floats, up: Floats) -> Logistic:
    """Fit (b,) bins at `x` with weights of falls and rises."""
    total = down + up
    n = float(total.sum())
    if n < LEAST:
        return Logistic(n=n, reason=f"weight of {n:.1f} moves; {LEAST} are the least")
    rises = float(up.sum())
    if not 0 < rises < n:
        return Logistic(n=n, reason="all moves go one way")
    base = rises / n
    beta = np.array([np.log(base / (1 - base)), 0.0])
    design = np.column_stack((np.ones_like(x), x))
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        information = design.T @ (design * (total * chance * (1 - chance))[:, None])
        if np.linalg.cond(information) > 1e12:
            return Logistic(n=n, reason="x separates rises from falls, or does not vary")
        step = np.linalg.solve(information, design.T @ (up - total * chance))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    else:
        return Logistic(n=n, reason="the fit does not converge")
    chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
    likelihood = float(up @ np.log(chance) + down @ np.log(1 - chance))
    constant = rises * np.log(base) + (n - rises) * np.log(1 - base)
    below = np.cumsum(down) - down
    return Logistic(
        n=n,
        intercept=float(beta[0]),
        slope=float(beta[1]),
        slope_z=float(beta[1] / np.sqrt(np.linalg.inv(information)[1, 1])),
        pseudo_r2=float(1 - likelihood / constant),
        square_residual=float((up @ (1 - chance) ** 2 + down @ chance**2) / n),
        square_residual_constant=float(base * (1 - base)),
        auc=float(up @ (below + down / 2) / (rises * (n - rises))),
    )
