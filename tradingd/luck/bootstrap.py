"""How far any statistic of a series would move if history had been drawn again.

Source: Politis & Romano (1994), "The Stationary Bootstrap", JASA 89: resampling in blocks of
random length, which keeps short memory. Intervals are percentile intervals.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from tradingd.luck.arrays import Floats, Integers
from tradingd.luck.sharpe import CONFIDENCE, SESSIONS_PER_YEAR

RESAMPLES: Final = 1_000


def interval(
    statistic: Callable[[Floats], float],
    observations: Floats,
    seed: int,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    block: float | None = None,
) -> tuple[float, float]:
    """Return the interval of a statistic of observations in time order.

    Parameters
    ----------
    statistic : callable
        Of an array shaped like `observations`; where it answers nan or an infinity the resample
        is left out.
    observations : array of float, shape (time,) or (time, columns)
        Rows are drawn whole, so that what happened together stays together.
    seed : int
        Same seed, same interval.
    block : float, optional
        Mean length of a block; None: ``n^(1/3)``. What looks several bars ahead wants at least
        that many.

    Returns
    -------
    tuple of float
        (nan, nan) where no resample had a value.
    """
    values = [
        value
        for rows in resampled_rows(len(observations), seed, resamples=resamples, block=block)
        if np.isfinite(value := statistic(observations[rows]))
    ]
    if not values:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def resampled_rows(
    length: int, seed: int, *, resamples: int = RESAMPLES, block: float | None = None
) -> Iterator[Integers]:
    """Draw row numbers of `resamples` stationary resamples of a series of that length."""
    rng = np.random.Generator(np.random.PCG64(seed))
    restart = 1 / max(1.0, length ** (1 / 3) if block is None else block)
    for _ in range(resamples):
        yield _stationary_indices(rng, length, restart)


def bootstrap_sharpe(returns: Floats, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the annual Sharpe; resamples without variation are left out."""
    return interval(_annual_sharpe, returns, seed)


def _annual_sharpe(returns: Floats) -> float:
    deviation = returns.std(ddof=1)
    if deviation == 0:
        return float("nan")
    return float(returns.mean() / deviation * np.sqrt(SESSIONS_PER_YEAR))


def _stationary_indices(rng: np.random.Generator, length: int, restart: float) -> Integers:
    """Walk indices forward, wrapping around, and jump to a random place with chance `restart`."""
    jumps = rng.random(length) < restart
    jumps[0] = True
    starts = rng.integers(0, length, size=length)
    block = np.maximum.accumulate(np.where(jumps, np.arange(length), 0))
    return (starts[block] + np.arange(length) - block) % length
