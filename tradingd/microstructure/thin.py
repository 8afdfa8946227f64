"""Series short enough to plot."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST_POINTS: Final = 2_000


class Points(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a plot; `of` is how many there were before every nth was kept."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    of: int


def kept(count: int) -> NDArray[np.int64]:
    """Return which of `count` points are plotted: at most 2,000, evenly, both ends among them."""
    if count <= MOST_POINTS:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, MOST_POINTS).round().astype(np.int64)


def thin(x: NDArray[Any], y: NDArray[Any]) -> Points:
    """Keep at most 2,000 points, evenly by position, the first and the last among them."""
    keep = kept(len(x))
    return Points(x=tuple(map(float, x[keep])), y=tuple(map(float, y[keep])), of=len(x))
