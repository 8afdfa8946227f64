"""Bid-ask spreads estimated from daily highs, lows and closes, where no quotes are stored.

Sources
-------
Corwin & Schultz (2012), "A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low Prices",
Journal of Finance 67(2), with its adjustment for overnight moves. Abdi & Ranaldo (2017), "A Simple
Estimation of Bid-Ask Spreads from Daily Close, High, and Low Prices", Review of Financial Studies
30(12).

Both compare two neighbouring days; single days are mostly noise, so a window is averaged first and
set to zero where it comes out negative.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

_BPS: Final = 10_000
_K: Final = 3 - 2 * np.sqrt(2)


def corwin_schultz(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the relative spread of each day with the day before, shape of the input; row 0 nan.

    ``2 (e^a - 1) / (1 + e^a)`` with ``a = (sqrt(2b) - sqrt(b)) / k - sqrt(g / k)``, b the sum of
    both days' squared log ranges, g that of the two days as one, k ``3 - 2 sqrt(2)``. A day that
    lies above or below the close before is moved back to it.
    """
    top, bottom, last = np.log(high), np.log(low), np.log(close)
    gap = np.maximum(bottom[1:] - last[:-1], 0) - np.maximum(last[:-1] - top[1:], 0)
    moved_top, moved_bottom = top[1:] - gap, bottom[1:] - gap
    both = (top[:-1] - bottom[:-1]) ** 2 + (moved_top - moved_bottom) ** 2
    joint = np.maximum(top[:-1], moved_top) - np.minimum(bottom[:-1], moved_bottom)
    alpha = (np.sqrt(2 * both) - np.sqrt(both)) / _K - np.sqrt(joint**2 / _K)
    return _below_nothing(2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha)))


def abdi_ranaldo(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the squared relative spread of each day with the day before; row 0 nan.

    ``4 (c - m)(c - m')``: c the log close, m the middle of log high and low of that day, m' that
    of the next.
    """
    middle, last = (np.log(high) + np.log(low)) / 2, np.log(close)
    return _below_nothing(4 * (last[:-1] - middle[:-1]) * (last[:-1] - middle[1:]))


def window_bps(terms: Floats, estimate: str) -> Floats:
    """Average a window of terms per symbol into basis points; nan without any.

    Parameters
    ----------
    terms : array of float, shape (days, symbols)
        Of the estimator named `estimate`.
    """
    count = np.isfinite(terms).sum(axis=0)
    mean = np.nansum(terms, axis=0) / np.where(count, count, 1)
    spread = np.sqrt(np.maximum(mean, 0)) if estimate == "abdi_ranaldo" else np.maximum(mean, 0)
    found: Floats = np.where(count, spread * _BPS, np.nan)
    return found


def _below_nothing(rows: Floats) -> Floats:
    return np.concatenate((np.full((1, *rows.shape[1:]), np.nan), rows))
