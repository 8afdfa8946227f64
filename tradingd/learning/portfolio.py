"""A long/short book by score, without costs: one return a session for every model that is tried.

It is what models are compared by before a backtest: not what anybody could have earned.
"""

import math
from typing import Final

import numpy as np

from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.learners.rows import centred_ranks

LEAST_ROWS: Final = 5
"""Rows a moment needs to be long some and short others."""


def long_short(dataset: Dataset, score: Floats, neutral: float | Floats) -> Floats:
    """Return the book's mean log return a session, shape (sessions,).

    Where a moment has at least 5 rows they are held in proportion to their centred ranks; where it
    has fewer, long above `neutral` and short below, each alike. The gross position of a moment is
    1, and each moment of a session counts alike. Labels that look over several sessions are booked
    whole on the first and divided by their number, so the mean is right and neighbours overlap:
    use `session_sharpe`, not the plain ratio.

    Parameters
    ----------
    dataset : Dataset
        The rows that were predicted.
    score : array of float
        Out of sample.
    neutral : float or array of float
        Score that says nothing, known before the row.
    """
    _, moment, sizes = np.unique(dataset.ts, return_inverse=True, return_counts=True)
    wide = sizes[moment] >= LEAST_ROWS
    held = np.where(wide, centred_ranks(dataset.ts, score), np.sign(score - neutral))
    gross = np.bincount(moment, np.abs(held))
    earned = np.bincount(moment, held * dataset.gain)
    each = np.divide(earned, gross, out=np.zeros(len(gross)), where=gross > 0)
    _, first = np.unique(moment, return_index=True)
    _, session = np.unique(dataset.session[first], return_inverse=True)
    total, count = np.bincount(session, each), np.bincount(session)
    return total / count / horizon_sessions(dataset)


def horizon_sessions(dataset: Dataset) -> int:
    """Return how many sessions a label looks ahead (median); 1 if it ends within its own."""
    opened, first = np.unique(dataset.session, return_index=True)
    starts = dataset.ts[first]
    ended = np.searchsorted(starts, dataset.end, side="right") - 1
    # Labels that end after the last row cannot be counted in sessions seen.
    counted = dataset.end <= starts[-1] if len(starts) else np.zeros(0, dtype=np.bool_)
    if not counted.any():
        return 1
    place = np.searchsorted(opened, dataset.session[counted])
    return max(1, int(np.median(ended[counted] - place)))


def session_sharpe(returns: Floats, horizon: int) -> float | None:
    """Return the Sharpe ratio per session of a series from `long_short`; None without variation.

    Returns over `horizon` sessions of which each books one share per session: their mean is that
    of a session, their deviation that of `horizon` sessions over `horizon`, which is
    ``sqrt(horizon)`` too small if sessions are independent. The ratio is therefore divided by
    ``sqrt(horizon)``.
    """
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    if deviation <= 1e-12 * float(np.abs(returns).max()):
        return None
    return float(returns.mean()) / deviation / math.sqrt(horizon)
