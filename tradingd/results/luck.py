"""How far a Sharpe ratio may be luck.

Sources
-------
Bailey & Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier", Journal of Risk 15(2):
probabilistic Sharpe ratio and minimum track record length. Politis & Romano (1994), "The
Stationary Bootstrap", JASA 89: resampling in blocks of random length, which keeps short memory.

All Sharpe ratios here are per session unless named annual.
"""

from statistics import NormalDist
from typing import Final

import numpy as np

from tradingd.results.tables import Floats, Integers

SESSIONS_PER_YEAR: Final = 252
CONFIDENCE: Final = 0.95
RESAMPLES: Final = 1_000
_NORMAL: Final = NormalDist()


def sharpe(returns: Floats) -> float:
    """Mean over sample deviation (not annual)."""
    return float(returns.mean() / returns.std(ddof=1))


def t_statistic(returns: Floats) -> float:
    """Mean over its standard error: Sharpe x sqrt(n)."""
    return sharpe(returns) * float(np.sqrt(len(returns)))


def sharpe_variance_factor(returns: Floats) -> float:
    """``1 - skew*SR + (kurtosis-1)/4 * SR^2``: how fat tails widen the error of a Sharpe ratio.

    Population moments; kurtosis is 3 for a normal distribution.
    """
    ratio = sharpe(returns)
    scaled = (returns - returns.mean()) / returns.std()
    skew, kurtosis = float((scaled**3).mean()), float((scaled**4).mean())
    return 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2


def probabilistic_sharpe(returns: Floats, threshold: float = 0.0) -> float:
    """Probability that the true Sharpe exceeds `threshold` (per session).

    ``Phi((SR - SR*) * sqrt(n - 1) / sqrt(1 - skew*SR + (kurtosis-1)/4*SR^2))``. With the expected
    maximum of many trials as `threshold` it is the deflated Sharpe ratio.
    """
    excess = sharpe(returns) - threshold
    factor = sharpe_variance_factor(returns)
    return _NORMAL.cdf(excess * float(np.sqrt((len(returns) - 1) / factor)))


def minimum_track_record(returns: Floats, threshold: float = 0.0) -> float:
    """Sessions needed to be 95 % sure that the Sharpe exceeds `threshold`.

    ``1 + (1 - skew*SR + (kurtosis-1)/4*SR^2) * (z / (SR - SR*))^2``; defined for SR > SR*.
    """
    z = _NORMAL.inv_cdf(CONFIDENCE)
    excess = sharpe(returns) - threshold
    return 1 + sharpe_variance_factor(returns) * (z / excess) ** 2


def bootstrap_sharpe(returns: Floats, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the annual Sharpe from a seeded stationary bootstrap.

    1,000 resamples in blocks of mean length n^(1/3); resamples without variation are left out.
    """
    length = len(returns)
    rng = np.random.Generator(np.random.PCG64(seed))
    restart = 1 / max(1.0, length ** (1 / 3))
    ratios = []
    for _ in range(RESAMPLES):
        sample = returns[_stationary_indices(rng, length, restart)]
        deviation = sample.std(ddof=1)
        if deviation > 0:
            ratios.append(sample.mean() / deviation)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail]) * np.sqrt(SESSIONS_PER_YEAR)
    return float(low), float(high)


def _stationary_indices(rng: np.random.Generator, length: int, restart: float) -> Integers:
    """Walk indices forward, wrapping around, and jump to a random place with chance `restart`."""
    jumps = rng.random(length) < restart
    jumps[0] = True
    starts = rng.integers(0, length, size=length)
    block = np.maximum.accumulate(np.where(jumps, np.arange(length), 0))
    return (starts[block] + np.arange(length) - block) % length
