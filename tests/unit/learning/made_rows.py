"""Rows with a known truth, for tests of what learns from them."""

import numpy as np

from tradingd.learning.dataset import Dataset

DAY = 86_400_000_000_000


def made_rows(
    *,
    sessions: int = 60,
    symbols: int = 20,
    skill: float = 0.5,
    features: int = 4,
    horizon: int = 1,
    seed: int = 0,
    classes: bool = True,
    gaps: float = 0.02,
) -> Dataset:
    """One row a symbol and session; the first feature says `skill` of the return that follows.

    Returns are normal with a deviation of 1 %; the labels of the last `horizon` sessions end after
    the last row. Some features are missing.
    """
    dice = np.random.default_rng(seed)
    count = sessions * symbols
    x = dice.normal(size=(count, features))
    gain = 0.01 * (skill * x[:, 0] + np.sqrt(1 - skill**2) * dice.normal(size=count))
    x[dice.random(x.shape) < gaps] = np.nan
    session = np.repeat(np.arange(sessions), symbols)
    return Dataset(
        names=tuple(f"feature_{number}" for number in range(features)),
        universe=tuple(f"S{number}" for number in range(symbols)),
        symbol=np.tile(np.arange(symbols), sessions),
        ts=session * DAY + DAY,
        end=(session + horizon) * DAY + DAY,
        session=session,
        x=x,
        y=(gain > 0).astype(np.float64) if classes else gain,
        gain=gain,
        weight=np.ones(count),
    )
