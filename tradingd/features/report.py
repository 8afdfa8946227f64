"""What stands in the columns of computed features: what is missing, infinite, far off, constant."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from tradingd.features.series import Floats

OUTLIER: Final = 20.0
"""Interquartile ranges from the median beyond which a value is far off (a normal one: 27 sigma)."""


class ColumnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One column; `missing` is the share of nan, the rest is of what is finite.

    `outliers` count the values farther than `OUTLIER` interquartile ranges from the median. Numbers
    that do not exist are None.
    """

    name: str
    rows: int
    missing: float
    infinite: int
    outliers: int
    smallest: float | None
    lower: float | None
    median: float | None
    upper: float | None
    largest: float | None

    @property
    def empty(self) -> bool:
        """Not one value."""
        return self.median is None

    @property
    def constant(self) -> bool:
        """One value only, in more than one row: nothing can be learned from it."""
        return self.rows > 1 and not self.empty and self.smallest == self.largest


def describe(names: Sequence[str], x: Floats) -> tuple[ColumnFacts, ...]:
    """Describe every column of a table of shape (rows, columns)."""
    return tuple(_column(name, x[:, index]) for index, name in enumerate(names))


def _column(name: str, values: Floats) -> ColumnFacts:
    present = np.sort(values[np.isfinite(values)])
    marks: list[float | None] = [None] * 5
    outliers = 0
    if len(present):
        ranks = (np.array([0.0, 0.25, 0.5, 0.75, 1.0]) * (len(present) - 1)).astype(np.int64)
        low, quarter, middle, upper, high = (float(one) for one in present[ranks])
        marks = [low, quarter, middle, upper, high]
        reach = OUTLIER * (upper - quarter)
        if reach > 0:
            outliers = int((np.abs(present - middle) > reach).sum())
    return ColumnFacts(
        name=name,
        rows=len(values),
        missing=float(np.isnan(values).mean()) if len(values) else 0.0,
        infinite=int(np.isinf(values).sum()),
        outliers=outliers,
        smallest=marks[0],
        lower=marks[1],
        median=marks[2],
        upper=marks[3],
        largest=marks[4],
    )
