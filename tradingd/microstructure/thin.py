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


def thin(x: NDArray[Any], y: NDArray[Any]) -> Points:
    """Keep at most 2,000 points, evenly by position, the first and the last among them."""
    keep = np.arange(len(x))
    if len(x) > MOST_POINTS:
        keep = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(np.int64)
    return Points(x=tuple(map(float, x[keep])), y=tuple(map(float, y[keep])), of=len(x))
