"""Labels that look a fixed number of bars ahead."""

import numpy as np
from numpy.typing import NDArray

from tradingd.config.training import ForwardReturn, VolatilityScaled
from tradingd.learning.dataset import Floats, Integers
from tradingd.learning.labels.answer import Labels, answered
from tradingd.learning.labels.deviation import trailing_deviation

BASIS_POINT = 1e-4


def forward_return(config: ForwardReturn, *, classify: bool, ts: Integers, close: Floats) -> Labels:
    """Return log(close `bars` on / close); classified: whether it is above the threshold."""
    ahead, last, over = _ahead(close, config.bars)
    if classify:
        ahead = np.where(np.isnan(ahead), np.nan, ahead > config.threshold_bps * BASIS_POINT)
    return answered(ts, close, ahead, last, over)


def volatility_scaled(
    config: VolatilityScaled, *, classify: bool, ts: Integers, close: Floats
) -> Labels:
    """Return that log return in deviations of as many bars, known at the row's own close.

    A deviation of h bars is the deviation of one times the root of h. Classified: whether it is
    positive.
    """
    ahead, last, over = _ahead(close, config.bars)
    scaled = ahead / (trailing_deviation(close, config.window) * np.sqrt(config.bars))
    if classify:
        scaled = np.where(np.isnan(scaled), np.nan, scaled > 0)
    return answered(ts, close, scaled, last, over)


def _ahead(close: Floats, bars: int) -> tuple[Floats, Integers, NDArray[np.bool_]]:
    """Return log returns over `bars`, the last bar each looks at, and whether that bar exists."""
    last = np.arange(len(close)) + bars
    over = last < len(close)
    last = np.where(over, last, np.arange(len(close)))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(close)
        ahead = np.where(over, logs[last] - logs, np.nan)
    return ahead, last, over
