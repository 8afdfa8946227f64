"""How well one column foretells an outcome out of fold, and how sure that is."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from tradingd.learning.dataset import Dataset, Floats, Fold, Integers

BINS: Final = 32
CHUNKS: Final = 200
_SHRINK: Final = 20.0
"""Rows of no opinion that each bin is given, so that a thin one says little."""
_TWICE: Final = 2.0
"""Of a column that says nothing, two rows of one bin in two folds each foretell the other by the
same product: it counts twice, and so does the variance."""


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """Rank correlation of out-of-fold predictions with the outcome, and its t statistic."""

    correlation: float
    t: float


class Judge:
    """Measures columns against outcomes over the same folds.

    A column's prediction is the mean outcome of its bin among the training rows, so that any shape
    of relation counts, also that of values that are missing. The t statistic adds up stretches of
    time with Newey & West's (1987) weights over as many of them as a label spans.

    Parameters
    ----------
    folds : sequence of Fold
        Purged, each row tested once.
    length : float
        Mean moments that a label spans.
    """

    def __init__(self, dataset: Dataset, folds: Sequence[Fold], length: float) -> None:
        self._folds = folds
        moments, moment = np.unique(dataset.ts, return_inverse=True)
        chunks = min(CHUNKS, len(moments))
        self._chunk = moment * chunks // max(len(moments), 1)
        self._chunks = chunks
        self._lags = min(int(np.ceil(length * chunks / max(len(moments), 1))) + 2, chunks // 3)

    def skill(self, codes: Integers, outcome: Floats) -> Skill:
        """Return what a column's bins (see `binned`) say of an outcome's ranks."""
        score = np.zeros(len(outcome))
        for fold in self._folds:
            seen, answers = codes[fold.train], outcome[fold.train]
            counts = np.bincount(seen, minlength=BINS + 1)
            sums = np.bincount(seen, answers - answers.mean(), minlength=BINS + 1)
            score[fold.test] = (sums / (counts + _SHRINK))[codes[fold.test]]
        score -= score.mean()
        centred = outcome - outcome.mean()
        scale = float(np.sqrt((score @ score) * (centred @ centred)))
        if scale == 0:
            return Skill(correlation=0.0, t=0.0)
        products = score * centred
        return Skill(correlation=float(products.sum()) / scale, t=self._t(products))

    def _t(self, products: Floats) -> float:
        sums = np.bincount(self._chunk, products, minlength=self._chunks)
        sizes = np.bincount(self._chunk, minlength=self._chunks)
        residual = sums - sizes * (products.sum() / sizes.sum())
        variance = float(residual @ residual)
        for lag in range(1, self._lags + 1):
            weight = 2 * (1 - lag / (self._lags + 1))
            variance += weight * float(residual[lag:] @ residual[:-lag])
        return float(products.sum() / np.sqrt(_TWICE * variance)) if variance > 0 else 0.0


def binned(column: Floats) -> Integers:
    """Return the number of each value's bin of about as many rows; the last is for what is nan.

    Equal values share a bin; infinities are values.
    """
    known = ~np.isnan(column)
    codes = np.full(len(column), BINS, dtype=np.int64)
    if known.any():
        ordered = np.sort(column[known])
        edges = np.unique(ordered[np.arange(1, BINS) * len(ordered) // BINS])
        codes[known] = np.searchsorted(edges, column[known], side="right")
    return codes
