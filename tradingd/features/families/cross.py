"""Features that compare symbols at one moment: ranks, distances from the crowd, breadth.

All read another declared feature, named by ``of``, of every symbol that has a bar at the moment and
a value of it. Two computations of one value may differ in their last digits; so that this neither
breaks nor makes a tie, values are compared as 32-bit floats (7 digits).

Sources
-------
Jegadeesh & Titman (1993), "Returns to Buying Winners and Selling Losers", Journal of Finance 48:
sorts across symbols. Grinold & Kahn (2000), "Active Portfolio Management", ch. 11: scores across
symbols and within sectors. Zweig (1986), "Winning on Wall Street": breadth.
"""

from typing import Annotated, Any, ClassVar, Final, cast

import numpy as np
from msgspec import Meta

from tradingd.features.feature import CrossFeature, FeatureParams, LiveCross
from tradingd.features.series import Floats, Integers, Moment, Panel

_CELLS: Final = 1 << 20
"""Cells of a panel that are worked on at once, which bounds the memory of temporary arrays."""

_FLAT: Final = 1e-9
"""A spread below this share of the largest value is rounding, not a spread."""


class Across(FeatureParams, frozen=True, kw_only=True):
    """Which feature, and of how many symbols at least."""

    of: Annotated[str, Meta(min_length=1, description="Name of a declared feature.")]
    least: Annotated[
        int, Meta(ge=1, description="Symbols with a value that a moment needs; fewer: nan.")
    ] = 1


class Level(Across, frozen=True, kw_only=True):
    """As `Across`, with a threshold."""

    level: Annotated[float, Meta(description="Threshold the values are compared with.")] = 0.0


class AcrossFeature(CrossFeature):
    """Base of features whose value at a moment needs nothing but that moment's values."""

    Params: ClassVar[type[FeatureParams]] = Across
    inputs = ()

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.of: str = params.of
        self.least: int = params.least

    @property
    def needs(self) -> tuple[str, ...]:
        """The feature that is compared."""
        return (self.of,)

    @property
    def memory(self) -> int:
        """Nothing; what it compares has a memory of its own."""
        return 0

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Return the values of moments, shape (moments, symbols), from those of the feature."""
        raise NotImplementedError(type(self).__name__)

    def batch_panel(self, panel: Panel) -> Floats:
        """Compare moment by moment, some thousand at a time."""
        values = panel.columns[self.of]
        found = np.empty(values.shape)
        step = max(_CELLS // max(values.shape[1], 1), 1)
        for start in range(0, len(values), step):
            part = slice(start, start + step)
            found[part] = self._compare(values[part], panel.sectors)
        return found

    def live_panel(self, symbols: int) -> LiveCross:
        """Compare one moment."""
        return _AcrossLive(self)

    def _compare(self, values: Floats, sectors: Integers) -> Floats:
        there = np.isfinite(values)
        found = self.compare(np.where(there, values, np.nan), sectors)
        few = there.sum(axis=1) < self.least
        found[few[:, None] | ~there] = np.nan
        return found


class _AcrossLive:
    """One moment is a panel of one row; nothing is remembered."""

    def __init__(self, feature: AcrossFeature) -> None:
        self._feature = feature

    def update(self, moment: Moment) -> Floats:
        values = moment.columns[self._feature.of]
        return cast(Floats, self._feature._compare(values[None, :], moment.sectors)[0])

    def rescale(self, column: int, factor: float) -> None:
        """Nothing to restate: the features it compares are free of scale."""


class Rank(AcrossFeature):
    """``(rank - 1/2) / symbols``; equal values share the mean of their ranks."""

    kind = "rank"
    summary = "Rank of a feature across symbols, 0 (lowest) to 1 (highest)"
    source = "Jegadeesh & Titman (1993), Journal of Finance 48"

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Rank along the symbols."""
        return _middle_ranks(_coarse(values)) / np.maximum(
            np.isfinite(values).sum(axis=1, keepdims=True), 1
        )


class ZScoreAcross(AcrossFeature):
    """``(value - mean) / deviation`` of the moment's values (population), cut off at 5."""

    kind = "zscore_across"
    summary = "Distance of a feature from the mean of all symbols, in deviations, cut off at 5"
    source = "Grinold & Kahn (2000), Active Portfolio Management, ch. 11"

    LIMIT: ClassVar[float] = 5.0

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Standardise along the symbols; 0 where all are equal."""
        away, deviation = _spread(values)
        score = np.where(np.isnan(deviation), 0.0, away / deviation)
        return np.asarray(np.clip(score, -self.LIMIT, self.LIMIT))


class SectorRelative(AcrossFeature):
    """The symbol's value less the mean of its sector, itself included.

    `least` symbols of the sector are needed; nan for symbols whose sector is unknown.
    """

    kind = "sector_relative"
    summary = "A feature less its mean over the symbol's sector (features.sectors)"
    source = "Grinold & Kahn (2000), Active Portfolio Management, ch. 11"
    refers_to_sectors: ClassVar[bool] = True

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Subtract sector by sector."""
        found = np.full(values.shape, np.nan)
        for sector in np.unique(sectors[sectors >= 0]).tolist():
            members = sectors == sector
            mine = values[:, members]
            counts = np.isfinite(mine).sum(axis=1)
            means = np.nansum(mine, axis=1) / np.maximum(counts, 1)
            means[counts < self.least] = np.nan
            found[:, members] = mine - means[:, None]
        return found


class MarketMean(AcrossFeature):
    """The mean of the moment's values, the same for every symbol."""

    kind = "market_mean"
    summary = "Mean of a feature over all symbols: the state of the market"
    source = "Grinold & Kahn (2000), Active Portfolio Management, ch. 11"

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Average along the symbols."""
        return np.repeat(_means(values), values.shape[1], axis=1)


class Dispersion(AcrossFeature):
    """The deviation of the moment's values (population), the same for every symbol."""

    kind = "dispersion"
    summary = "Deviation of a feature across all symbols: how far the market drifts apart"
    source = "Ankrim & Ding (2002), Financial Analysts Journal 58(5)"

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Measure along the symbols; 0 where all are equal."""
        deviation = _spread(values)[1]
        return np.repeat(np.nan_to_num(deviation), values.shape[1], axis=1)


class Breadth(AcrossFeature):
    """The share of symbols whose value is above `level`, the same for every symbol."""

    Params = Level
    kind = "breadth"
    summary = "Share of symbols whose feature is above a level, such as 0 for distance to a mean"
    source = "Zweig (1986), Winning on Wall Street"

    def compare(self, values: Floats, sectors: Integers) -> Floats:
        """Count along the symbols; a value equal to the level but for rounding is not above it."""
        level = float(self.params.level)
        above = values - level > _FLAT * max(1.0, abs(level))
        there = np.maximum(np.isfinite(values).sum(axis=1, keepdims=True), 1)
        return np.repeat(above.sum(axis=1, keepdims=True) / there, values.shape[1], axis=1)


def _coarse(values: Floats) -> Floats:
    """Return the values to 7 digits; those too large for that are all as large."""
    with np.errstate(over="ignore"):
        return cast(Floats, values.astype(np.float32))


def _middle_ranks(values: Floats) -> Floats:
    """Return ranks from 1/2 along rows, the mean of ranks where values are equal; nan at nan."""
    # In which order equal values come does not matter: they share their ranks.
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    middles = np.empty(values.shape)
    middles[:] = np.arange(values.shape[1]) + 0.5
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        middles[tied] = _middles_of_ties(ordered[tied])
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, middles, axis=1)
    ranks[np.isnan(values)] = np.nan
    return ranks


def _middles_of_ties(ordered: Floats) -> Floats:
    """Return the mean place of equal values along rows that are in order, from 1/2."""
    place = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    upward = np.where(ends, place, ordered.shape[1])[:, ::-1]
    last = np.minimum.accumulate(upward, axis=1)[:, ::-1]
    return np.asarray((first + last) * 0.5 + 0.5)


def _means(values: Floats) -> Floats:
    """Return the means along rows, as a column."""
    counts = np.maximum(np.isfinite(values).sum(axis=1, keepdims=True), 1)
    sums = np.nansum(values, axis=1, keepdims=True)
    return sums / counts


def _spread(values: Floats) -> tuple[Floats, Floats]:
    """Return distances from the mean of the row, and their deviation as a column.

    The deviation is nan where it is rounding alone.
    """
    away = values - _means(values)
    deviation = np.sqrt(_means(away * away))
    size = np.nanmax(np.abs(np.nan_to_num(values)), axis=1, keepdims=True, initial=0.0)
    deviation[deviation <= _FLAT * size] = np.nan
    return away, deviation
