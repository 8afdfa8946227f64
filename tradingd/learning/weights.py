"""Weights of rows whose labels share the same days with others.

Source: M. Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 4: concurrent
labels (4.3) and average uniqueness (4.4).
"""

import numpy as np

from tradingd.learning.dataset import Dataset, Floats, Integers


def uniqueness(dataset: Dataset) -> Floats:
    """Return the average uniqueness of each row's label among its symbol's, scaled to mean 1.

    A label's uniqueness at a moment is 1 over the number of the symbol's labels that look at that
    moment; the row's is the mean over the moments within its (ts, end]. Moments are all at which
    any row of the data set is known or its label ends. Vectorised; O(rows + symbols x moments).
    """
    weights = np.ones(len(dataset))
    if not len(dataset):
        return weights
    moments = np.unique(np.concatenate((dataset.ts, dataset.end)))
    first = np.searchsorted(moments, dataset.ts)
    last = np.searchsorted(moments, dataset.end)
    order = np.argsort(dataset.symbol, kind="stable")
    cuts = np.flatnonzero(np.diff(dataset.symbol[order])) + 1
    for rows in np.split(order, cuts):
        weights[rows] = _average(first[rows], last[rows], len(moments))
    return np.asarray(weights / weights.mean())


def _average(first: Integers, last: Integers, moments: int) -> Floats:
    """Return the mean of 1 / concurrency over the moments (first, last] of each label."""
    change = np.bincount(first + 1, minlength=moments + 2)[: moments + 2] - np.bincount(
        last + 1, minlength=moments + 2
    )
    # At the moment of number m the labels with first < m <= last are open.
    concurrent = np.cumsum(change)[:moments]
    shares = np.where(concurrent > 0, 1.0 / np.maximum(concurrent, 1), 0.0)
    summed = np.concatenate(([0.0], np.cumsum(shares)))
    length = last - first
    average = (summed[last + 1] - summed[first + 1]) / np.maximum(length, 1)
    return np.where(length > 0, average, 1.0)
