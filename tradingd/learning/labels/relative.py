"""Labels against the market: what a symbol did beyond the mean of all at the same moment."""

import msgspec
import numpy as np

from tradingd.learning.dataset import Dataset


def against_the_mean(dataset: Dataset, *, classify: bool, threshold: float = 0.0) -> Dataset:
    """Return the rows with answers relative to the mean gain of their moment.

    The mean is over the rows of the data set known at that moment whose labels are known too, each
    alike; it looks no further ahead than the labels themselves. `gain` stays the symbol's own.

    Parameters
    ----------
    classify : bool
        Answer 1 above `threshold` (a log return), else 0; else the difference itself.
    """
    _, moment = np.unique(dataset.ts, return_inverse=True)
    mean = np.bincount(moment, dataset.gain) / np.bincount(moment)
    beyond = dataset.gain - mean[moment]
    y = (beyond > threshold).astype(np.float64) if classify else beyond
    return msgspec.structs.replace(dataset, y=y)
