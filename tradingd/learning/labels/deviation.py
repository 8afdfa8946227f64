"""How much a price moves in a bar, as known at that bar."""

from typing import Final

import numpy as np

from tradingd.learning.dataset import Floats

_AT_ONCE: Final = 1_000_000
"""Numbers held in a temporary array."""


def trailing_deviation(close: Floats, window: int) -> Floats:
    """Return the sample deviation of the last `window` log returns, the bar's own included.

    nan until there are as many, where a close among them is missing, and where all of them are the
    same: a barrier at no distance and a division by nothing have no meaning.
    """
    found = np.full(len(close), np.nan)
    if len(close) <= window:
        return found
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.diff(np.log(close))
    windows = np.lib.stride_tricks.sliding_window_view(returns, window)
    step = max(1, _AT_ONCE // window)
    for start in range(0, len(windows), step):
        part = windows[start : start + step]
        with np.errstate(invalid="ignore"):
            deviation = part.std(axis=1, ddof=1)
        # Equal returns leave a rounding residue; only exact equality says that nothing varied.
        deviation[(part == part[:, :1]).all(axis=1)] = np.nan
        found[window + start : window + start + len(part)] = deviation
    found[~np.isfinite(found)] = np.nan
    return found
