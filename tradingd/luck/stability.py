"""Whether the best parameters stand on a plateau or on a needle.

The idea is Pardo's (2008), "The Evaluation and Optimization of Trading Strategies", 2nd edition,
Wiley, on judging an optimisation by its profile: a parameter set is worth something when those
beside it are good too. The measure is ours: the share of the best trial's lead over the median
trial that its nearest neighbours keep.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tradingd.luck.arrays import Floats

_LEAST_TRIALS: Final = 4
_FEWEST, _MOST, _SHARE = 2, 5, 5
"""Neighbours: a fifth of the trials, between two and five."""


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """The best trial and those beside it.

    Parameters
    ----------
    share : float
        ``(mean of neighbours - median of all) / (best - median of all)``, held to 0..1. 1: the
        neighbours are as good; 0: no better than any.
    best : int
        Position of the best trial.
    neighbours : tuple of int
        Positions of the trials beside it, nearest first.
    spread : float
        Sample deviation of the neighbours' and the best trial's scores, in units of score.
    """

    share: float
    best: int
    neighbours: tuple[int, ...]
    spread: float


def stability(
    parameters: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    *,
    neighbours: int | None = None,
) -> Stability | None:
    """Compare the best trial with its neighbours.

    Parameters
    ----------
    parameters : sequence of mapping
        Of each trial. Numbers are placed by rank among the trials, so that a logarithmic scale
        needs no hint; anything else is equal or different.
    scores : sequence of float
        Higher is better; trials without a number are left out.
    neighbours : int, optional
        How many trials beside the best to look at; None: a fifth of them, two to five.

    Returns
    -------
    Stability or None
        None below four trials with a score, or where all scores are equal.
    """
    usable = [place for place, score in enumerate(scores) if np.isfinite(score)]
    if len(usable) < _LEAST_TRIALS:
        return None
    values = np.array([scores[place] for place in usable])
    best = int(values.argmax())
    lead = values[best] - np.median(values)
    if lead <= 0:
        return None
    away = _distances([parameters[place] for place in usable], best)
    away[best] = np.inf
    wanted = neighbours or min(_MOST, max(_FEWEST, len(usable) // _SHARE))
    near = np.argsort(away, kind="stable")[: min(wanted, len(usable) - 1)]
    kept = (values[near].mean() - np.median(values)) / lead
    return Stability(
        share=float(np.clip(kept, 0.0, 1.0)),
        best=usable[best],
        neighbours=tuple(usable[place] for place in near),
        spread=float(np.append(values[near], values[best]).std(ddof=1)),
    )


def _distances(parameters: Sequence[Mapping[str, Any]], best: int) -> Floats:
    """Return the distance of each trial from the best: the root of squared steps in each key."""
    keys = sorted({key for trial in parameters for key in trial})
    total = np.zeros(len(parameters))
    for key in keys:
        total += _steps([trial.get(key) for trial in parameters], best) ** 2
    return np.sqrt(total)


def _steps(values: Sequence[Any], best: int) -> Floats:
    """Return how far each value of one key is from the best trial's, 0..1."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array([float(value != values[best]) for value in values])
    levels, place = np.unique(np.array(values, dtype=np.float64), return_inverse=True)
    widest = max(1, len(levels) - 1)
    steps: Floats = np.abs(place - place[best]) / widest
    return steps
