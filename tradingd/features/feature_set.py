"""A declared set of features, ready to compute."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from tradingd.features.feature import CrossFeature, Feature
from tradingd.session.calendar import SessionCalendar


class FeatureSet(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Features by name; made by `tradingd.features.compile.compile_features`.

    Parameters
    ----------
    names : tuple of str
        Sorted, so that the order of a file changes nothing.
    columns : tuple of Feature
        By `names`.
    order : tuple of int
        Columns of features across symbols, each after those it needs.
    bars : str
        Resolution of the bars.
    memory : int
        Bars BEFORE the present one after which a cold start is forgotten by every feature: a row is
        that of all history once `memory` + 1 bars were seen, and `rows[memory:]` of a cold batch
        are.
    hash : str
        SHA-256 over kinds, parameters, versions, the text of your own classes, bars, benchmark,
        calendar and, where a feature asks for it, every symbol's sector: what a model is bound to.
    needs_quotes : bool
        Some feature reads quotes.
    benchmark : str
        Symbol; empty without one.
    """

    names: tuple[str, ...]
    columns: tuple[Feature, ...]
    order: tuple[int, ...]
    bars: str
    memory: int
    hash: str
    needs_quotes: bool
    benchmark: str
    calendar: SessionCalendar
    sectors: Mapping[str, str]
    earnings: Mapping[str, tuple[dt.date, ...]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def singles(self) -> tuple[int, ...]:
        """Columns computed from one symbol alone."""
        return tuple(
            index for index, one in enumerate(self.columns) if not isinstance(one, CrossFeature)
        )

    def crosses(self) -> tuple[tuple[int, CrossFeature], ...]:
        """Features across symbols with their columns, each after those it needs."""
        found = []
        for index in self.order:
            one = self.columns[index]
            assert isinstance(one, CrossFeature)
            found.append((index, one))
        return tuple(found)

    def panel_columns(self) -> tuple[str, ...]:
        """Names of the features that features across symbols read."""
        needed = {name for _, one in self.crosses() for name in one.needs}
        return tuple(sorted(needed & set(self.names)))

    def sector_numbers(self, symbols: tuple[str, ...]) -> list[int]:
        """Return the number of each symbol's sector, -1 where it is unknown."""
        known = {one: number for number, one in enumerate(sorted(set(self.sectors.values())))}
        return [known.get(self.sectors.get(symbol, ""), -1) for symbol in symbols]
