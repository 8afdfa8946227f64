"""How well one column foretells an outcome out of fold, and how sure that is."""

from collections.abc import Mapping, Sequence
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
        moments, moment = np.unique(dataset.ts, return_inverse=True)
        self._chunks = min(CHUNKS, len(moments))
        self._chunk = moment * self._chunks // max(len(moments), 1)
        spanned = int(np.ceil(length * self._chunks / max(len(moments), 1)))
        self._lags = min(spanned + 2, self._chunks // 3)
        self._tested, self._learned, self._part = _parts(len(dataset), folds)

    def skills[K](self, codes: Integers, outcomes: Mapping[K, Floats]) -> dict[K, Skill]:
        """Return what a column's bins (see `binned`) say of the ranks of some outcomes."""
        cells = self._part * (BINS + 1) + codes
        counts = self._summed(cells, None)
        places = self._tested * (BINS + 1) + codes
        return {
            name: self._skill(cells, counts, places, outcome) for name, outcome in outcomes.items()
        }

    def _skill(self, cells: Integers, counts: Floats, places: Integers, outcome: Floats) -> Skill:
        sums = self._summed(cells, outcome)
        means = sums.sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True)
        score = ((sums - means * counts) / (counts + _SHRINK)).ravel()[places]
        score -= score.mean()
        centred = outcome - outcome.mean()
        # Not by BLAS: its threads wait for each other longer than the sum takes.
        scale = float(np.sqrt(np.square(score).sum() * np.square(centred).sum()))
        if scale == 0:
            return Skill(correlation=0.0, t=0.0)
        products = score * centred
        return Skill(correlation=float(products.sum()) / scale, t=self._t(products))

    def _summed(self, cells: Integers, values: Floats | None) -> Floats:
        """Return sums over the training rows of each fold and bin, shape (folds, bins)."""
        parts = self._learned.shape[1]
        sums = np.bincount(cells, values, minlength=parts * (BINS + 1))
        return np.asarray(self._learned @ sums.reshape(parts, BINS + 1))

    def _t(self, products: Floats) -> float:
        sums = np.bincount(self._chunk, products, minlength=self._chunks)
        sizes = np.bincount(self._chunk, minlength=self._chunks)
        residual = sums - sizes * (products.sum() / sizes.sum())
        variance = float(residual @ residual)
        for lag in range(1, self._lags + 1):
            weight = 2 * (1 - lag / (self._lags + 1))
            variance += weight * float(residual[lag:] @ residual[:-lag])
        return float(products.sum() / np.sqrt(_TWICE * variance)) if variance > 0 else 0.0


def binned(ranks: Floats) -> Integers:
    """Return the bin of each mid-rank, all of about as many rows; the last is for what is nan."""
    codes = np.floor((np.nan_to_num(ranks, nan=0.0) + 0.5) * BINS).astype(np.int64)
    return np.where(np.isnan(ranks), BINS, np.clip(codes, 0, BINS - 1))


def _parts(rows: int, folds: Sequence[Fold]) -> tuple[Integers, Floats, Integers]:
    """Return the fold that tests each row, which fold learns from which part, and rows' parts.

    A part is the rows that the same folds learn from: sums over parts are taken once for all.
    """
    tested = np.zeros(rows, dtype=np.int64)
    learning = np.zeros(rows, dtype=np.int64)
    for number, fold in enumerate(folds):
        tested[fold.test] = number
        learning[fold.train] |= 1 << number
    patterns, part = np.unique(learning, return_inverse=True)
    learned = (patterns >> np.arange(len(folds))[:, None]) & 1
    return tested, learned.astype(np.float64), part
