"""Labels that end where the price touches one of three barriers.

Source: M. Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 3: the triple
barrier method (3.4) and meta-labels (3.6). Two things differ from its snippets: a touch is seen in
the bar's high and low, not only in its close, and barriers are set in log prices.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.learning.dataset import Floats, Integers
from tradingd.learning.labels.answer import Labels, answered
from tradingd.learning.labels.deviation import trailing_deviation

UP: Final = 1
DOWN: Final = -1
TIME: Final = 0


class Touches(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Which barrier ended each bar's label.

    Parameters
    ----------
    side : array of int
        1 the upper, -1 the lower, 0 the end of the time. A bar that touches both counts as the
        one that loses: its prices do not say which came first.
    last : array of int
        Number of the bar that decided.
    move : array of float
        Log return that a holder would have taken there: the barrier's distance, or the close's at
        the end of the time. A bar that lies wholly beyond the losing barrier gives its better end.
    valid : array of bool
    """

    side: Integers
    last: Integers
    move: Floats
    valid: NDArray[np.bool_]


def triple_barrier(
    *,
    classify: bool,
    ts: Integers,
    close: Floats,
    high: Floats,
    low: Floats,
    bars: int,
    up: float,
    down: float,
    window: int,
) -> Labels:
    """Label every bar for a holder of one long share.

    Classified: 1 where the upper barrier was touched first, or at the end of the time the return
    is positive; 0 else. Otherwise the log return taken there.

    Parameters
    ----------
    bars : int
        Bars until the time is over. Bars with fewer left are not labelled, even where a barrier
        was touched: only their quick touches would be known.
    up, down : float
        Distance of the barriers, in deviations of `bars` bars.
    window : int
        Returns the deviation is taken over.
    """
    width = trailing_deviation(close, window) * np.sqrt(bars)
    long = np.ones(len(ts), dtype=np.int64)
    found = touches(close, high, low, side=long, bars=bars, profit=up * width, loss=down * width)
    y = (found.move > 0).astype(np.float64) if classify else found.move
    return answered(ts, close, y, found.last, found.valid)


def meta_labels(
    *,
    classify: bool,
    ts: Integers,
    close: Floats,
    high: Floats,
    low: Floats,
    sides: Integers,
    bars: int,
    up: float,
    down: float,
    window: int,
) -> Labels:
    """Label a rule's signals by whether they were right; bars without a signal have no label.

    Classified: 1 where the signal's profit was reached before its loss, or at the end of the time
    it is ahead. Otherwise the log return it made. For a short signal the profit lies below.

    Parameters
    ----------
    sides : array of int
        1 a long signal at the bar's close, -1 a short one, 0 none.
    up, down : float
        Distance of the profit and of the loss, in deviations of `bars` bars.
    """
    width = trailing_deviation(close, window) * np.sqrt(bars)
    found = touches(close, high, low, side=sides, bars=bars, profit=up * width, loss=down * width)
    y = (found.move > 0).astype(np.float64) if classify else found.move
    return answered(ts, close, y, found.last, found.valid & (sides != 0))


def touches(
    close: Floats,
    high: Floats,
    low: Floats,
    *,
    side: Integers,
    bars: int,
    profit: Floats,
    loss: Floats,
) -> Touches:
    """Find the barrier that each bar's position meets first.

    Parameters
    ----------
    side : array of int
        1 for a long position opened at the bar's close, -1 for a short one; 0 is taken as long.
    profit, loss : array of float
        Distances in log price; bars where one is nan have no answer.

    Notes
    -----
    One pass a bar ahead over the positions still open: O(rows x bars) at most, vectorised. A bar
    without prices ends the question of every position that waits for it: what happened within it
    is unknown. A bar whose high is below its low or its close is taken at its widest.
    """
    rows = len(close)
    bar = np.arange(rows)
    sign = np.where(side < 0, -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(close)
        highest = np.log(np.maximum(np.maximum(high, low), close))
        lowest = np.log(np.minimum(np.minimum(high, low), close))
    valid = (bar + bars < rows) & np.isfinite(profit) & np.isfinite(loss) & np.isfinite(logs)
    met = np.zeros(rows, dtype=np.int64)
    last = bar.copy()
    move = np.full(rows, np.nan)
    open_ = bar[valid]
    for ahead in range(1, bars + 1):
        if not len(open_):
            break
        then = open_ + ahead
        # In the position's own direction: what it could gain and lose within the bar.
        one = sign[open_] * (highest[then] - logs[open_])
        other = sign[open_] * (lowest[then] - logs[open_])
        best, worst = np.maximum(one, other), np.minimum(one, other)
        unknown = ~np.isfinite(logs[then]) | np.isnan(best) | np.isnan(worst)
        lost = worst <= -loss[open_]
        won = (best >= profit[open_]) & ~lost
        done = (lost | won) & ~unknown
        if ahead == bars:
            late = ~done & ~unknown
            move[open_[late]] = (sign[open_] * (logs[then] - logs[open_]))[late]
            last[open_[late]] = then[late]
        move[open_[won & done]] = profit[open_][won & done]
        move[open_[lost & done]] = np.minimum(-loss[open_], best)[lost & done]
        met[open_[done]] = (sign[open_] * np.where(lost, -1, 1))[done].astype(np.int64)
        last[open_[done]] = then[done]
        valid[open_[unknown]] = False
        open_ = open_[~done & ~unknown]
    return Touches(side=met, last=last, move=move, valid=valid & np.isfinite(move))
