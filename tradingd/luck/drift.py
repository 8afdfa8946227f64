"""How far the columns of a table have changed since a reference was taken from them.

Sources
-------
Siddiqi (2006), "Credit Risk Scorecards", ch. 9: population stability index (PSI), below 0.1 the
same, above 0.25 another population. Yurdakul & Naranjo (2020), "Statistical properties of the
population stability index", Journal of Risk Model Validation 14(4): what PSI is by chance alone.
Kolmogorov (1933), Smirnov (1948): the largest distance of two distribution functions (KS).
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

BINS: Final = 10
"""Equally filled bins of the index, as in the source; values that are missing are one more."""

POINTS: Final = 128
"""Points a reference keeps of each distribution function: KS is exact to 1 / POINTS."""

LEAST_SHARE: Final = 1e-4
"""What an empty bin counts as: one of the shares in the logarithm would be 0 otherwise."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What one column looked like.

    Parameters
    ----------
    edges : tuple of float
        Rising; bin i holds edges[i-1] < value <= edges[i], the first and the last have no end.
        Fewer than `BINS` - 1 where many values are equal.
    shares : tuple of float
        Of all rows, in each bin; with `missing` they add up to 1.
    missing : float
        Share of rows that are nan or infinite.
    points, below, under : tuple of float
        Values, rising, and the shares of the values that are there at or below each, and below it.
    """

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float
    points: tuple[float, ...]
    below: tuple[float, ...]
    under: tuple[float, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a table looked like, column by column; small, and JSON as it is.

    Parameters
    ----------
    rows : int
        That it was taken from.
    """

    rows: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the table's."""
        return tuple(column.name for column in self.columns)


def reference(names: Sequence[str], x: Floats) -> Reference:
    """Take a reference from a table of shape (rows, columns); nan and infinity are missing.

    Raises
    ------
    ValueError
        Without rows, or when the names are not those of the columns.
    """
    if x.ndim != 2 or x.shape[1] != len(names) or not len(x):
        raise ValueError(f"{len(names)} names and at least one row expected, got shape {x.shape}")
    columns = tuple(_column(name, x[:, index]) for index, name in enumerate(names))
    return Reference(rows=len(x), columns=columns)


def _column(name: str, values: Floats) -> Column:
    present = np.sort(values[np.isfinite(values)])
    edges = _quantiles(present, BINS)[:-1]
    shares, missing = _shares(values, edges)
    points = _quantiles(present, POINTS)
    return Column(
        name=name,
        edges=tuple(edges.tolist()),
        shares=tuple(shares.tolist()),
        missing=missing,
        points=tuple(points.tolist()),
        below=tuple(_below(present, points, "right").tolist()),
        under=tuple(_below(present, points, "left").tolist()),
    )


def _quantiles(present: Floats, count: int) -> Floats:
    """Return values of the sorted ones that part them into `count` equal parts; last: the largest.

    Values that occur, not in between: a column of few values (days of the week) keeps them.
    """
    if not len(present):
        return present
    ranks = np.ceil(np.arange(1, count + 1) * (len(present) / count)).astype(np.int64) - 1
    return np.unique(present[np.maximum(ranks, 0)])


def _shares(values: Floats, edges: Floats) -> tuple[Floats, float]:
    present = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, present, side="left"), minlength=len(edges) + 1)
    return counts / len(values), 1 - len(present) / len(values)


def _below(ordered: Floats, points: Floats, side: Literal["left", "right"]) -> Floats:
    return np.searchsorted(ordered, points, side=side) / max(len(ordered), 1)


def psi(known: Reference, x: Floats) -> dict[str, float]:
    """Return the population stability index of every column.

    ``sum((new - old) * ln(new / old))`` over the bins and the missing; 0 for equal shares. Compare
    it with `psi_by_chance`: few rows differ from any reference.

    Parameters
    ----------
    known : Reference
    x : array of float, shape (rows, columns)
        Its columns in the order of the reference's.

    Raises
    ------
    ValueError
        For another shape, or no row.
    """
    _require(known, x)
    found = {}
    for index, column in enumerate(known.columns):
        shares, missing = _shares(x[:, index], np.asarray(column.edges, np.float64))
        new = np.maximum(np.append(shares, missing), LEAST_SHARE)
        old = np.maximum(np.append(column.shares, column.missing), LEAST_SHARE)
        found[column.name] = float(((new - old) * np.log(new / old)).sum())
    return found


def weighted(found: Mapping[str, float], weights: Mapping[str, float | None]) -> float:
    """Return the mean index, each column counting by its weight.

    A column that a model hardly looks at may change as it likes: trained and served models weigh
    by the share of their gain. Columns count alike where no weight is stated or all are 0; a
    column without one among others that have one does not count.

    Parameters
    ----------
    found : mapping
        Column -> index; not empty.
    weights : mapping
        Column -> weight, not negative.
    """
    shares = {name: weights.get(name) or 0.0 for name in found}
    total = sum(shares.values())
    if not total > 0:
        return sum(found.values()) / len(found)
    return sum(value * shares[name] for name, value in found.items()) / total


def worst(
    found: Mapping[str, float], weights: Mapping[str, float | None], count: int = 3
) -> tuple[tuple[str, float], ...]:
    """Return the columns that add most to `weighted`, and their indices."""
    known = any(weights.get(name) for name in found)

    def part(name: str) -> float:
        return found[name] * ((weights.get(name) or 0.0) if known else 1.0)

    return tuple((name, found[name]) for name in sorted(found, key=part, reverse=True)[:count])


def psi_by_chance(known: Reference, rows: int) -> dict[str, float]:
    """Return the 99th percentile of each column's index when nothing has changed.

    The index is then distributed as ``(1/n + 1/m) * chi2(bins - 1)`` for independent rows (Yurdakul
    & Naranjo, theorem 1). Rows of neighbouring bars are not independent: their chance is larger.
    """
    scale = 1 / known.rows + 1 / rows
    return {
        column.name: scale * _chi_square(len(column.edges) + (column.missing > 0))
        for column in known.columns
    }


def _chi_square(freedom: int, normal: float = 2.326347874040841) -> float:
    """Return the quantile at a normal quantile (99 %): Wilson & Hilferty (1931), good to 1 %."""
    if not freedom:
        return 0.0
    part = 2 / (9 * freedom)
    return freedom * (1 - part + normal * float(np.sqrt(part))) ** 3


def ks(known: Reference, x: Floats) -> dict[str, float]:
    """Return the largest distance of each column's distribution function from the reference's.

    Of the values that are there; measured at the reference's points. 0 when the column has none
    either now or then: what is missing is told by `psi`.

    Raises
    ------
    ValueError
        For another shape, or no row.
    """
    _require(known, x)
    found = {}
    for index, column in enumerate(known.columns):
        values = x[:, index]
        present = np.sort(values[np.isfinite(values)])
        points = np.asarray(column.points, np.float64)
        if len(present) and len(points := np.asarray(column.points, np.float64)):
            # The largest distance stands at a point, or just below it.
            at = np.abs(_below(present, points, "right") - np.asarray(column.below))
            before = np.abs(_below(present, points, "left") - np.asarray(column.under))
            found[column.name] = float(max(at.max(), before.max()))
        else:
            found[column.name] = 0.0
    return found


def ks_by_chance(known: Reference, rows: int) -> float:
    """Return the 99th percentile of the distance when nothing has changed, for independent rows.

    ``1.628 * sqrt(1/n + 1/m)``: Smirnov (1948), table of the limiting distribution.
    """
    return float(1.6276 * np.sqrt(1 / known.rows + 1 / rows))


def _require(known: Reference, x: Floats) -> None:
    if x.ndim != 2 or x.shape[1] != len(known.columns) or not len(x):
        wanted = f"(rows, {len(known.columns)}) with at least one row"
        raise ValueError(f"shape {wanted} expected, got {x.shape}")
