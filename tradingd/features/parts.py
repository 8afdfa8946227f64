"""Bars of several symbols laid end to end, so that short series cost few calls."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradingd.features.series import PRICES, Floats, Integers, Series


def joined(series: Sequence[Series]) -> Series:
    """Return the bars of one symbol after those of the other; quotes are left out of several."""
    if len(series) == 1:
        return series[0]
    names = ("ts", *PRICES, "volume", "session", "minute", "to_close")
    columns = {name: np.concatenate([getattr(one, name) for one in series]) for name in names}
    sizes = [len(one) for one in series if len(one)]
    starts = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    return Series(symbol="", starts=starts, **columns)


def starts_of(series: Series) -> Integers:
    """Return the rows at which the bars of a symbol begin."""
    if series.starts is not None:
        return series.starts
    return np.zeros(1 if len(series) else 0, np.int64)


def by_part[T: (Floats, NDArray[np.bool_])](
    series: Series, compute: Callable[..., T], *columns: NDArray[Any]
) -> T:
    """Return what `compute` makes of each symbol's part of the columns, end to end."""
    if series.starts is None:
        return compute(*columns)
    edges = [*starts_of(series).tolist(), len(series)]
    found: T = np.concatenate(
        [compute(*[one[start:end] for one in columns]) for start, end in pairwise(edges)]
    )
    return found
