"""Multi-level order-flow imbalance in one number: the first principal component.

Cont, Cucuringu & Zhang (2023), "Cross-impact of order flow imbalance in equity markets",
Quantitative Finance 23(10): each level's OFI of an interval is divided by the average depth of the
book in it (mean over levels, both sides and states, halved over sides); the first eigenvector of
their covariance, divided by the sum of its absolute values, weighs the levels. Estimated here on
the same intervals that are then explained: in sample.
"""

import msgspec
import numpy as np

from tradingd.level2.book import Ints64
from tradingd.microstructure.states import Bools, Floats


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """How levels are weighed.

    Attributes
    ----------
    weights : tuple of float
        By level from the best; absolute values add up to 1, the sum is not negative.
    explained : float or None
        Share of the variance that the component holds.
    reason : str
        Why there is none; empty where there is one.
    """

    weights: tuple[float, ...] = ()
    explained: float | None = None
    reason: str = ""


def normalised(flow: Ints64, depth: Ints64, levels: int) -> Floats:
    """Return (n, levels) OFI in units of average depth.

    `flow` is (n, levels) shares; `depth` (n, 2) states and shares summed over states, sides and
    levels. An interval without usable states takes the average of all.
    """
    states, shares = depth[:, 0], depth[:, 1]
    overall = int(shares.sum()) / max(1, int(states.sum())) / (2 * levels)
    local = shares / np.maximum(states, 1) / (2 * levels)
    scale = np.where(local > 0, local, overall or 1.0)
    result: Floats = flow / scale[:, None]
    return result


def component(values: Floats, use: Bools) -> Component:
    """Return the first component of (n, levels) values over the intervals that count."""
    sample = values[use]
    if len(sample) < 2 * values.shape[1] + 2:
        return Component(reason=f"{len(sample)} intervals for {values.shape[1]} levels")
    covariance = np.atleast_2d(np.cov(sample, rowvar=False))
    sizes, vectors = np.linalg.eigh(covariance)
    if sizes[-1] <= 0:
        return Component(reason="the imbalance does not vary")
    weights = vectors[:, -1] / np.abs(vectors[:, -1]).sum()
    if weights.sum() < 0:
        weights = -weights
    return Component(weights=tuple(map(float, weights)), explained=float(sizes[-1] / sizes.sum()))
