"""The base of every feature kind: one idea, computed in batches and bar by bar.

Yours is one class: subclass `Feature` (or `CrossFeature`), state `Params`, write both computations
and name it ``package.module:Class`` as the kind. `tradingd features check` proves that the two
agree, that nothing is seen before its time and that splits change nothing.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import msgspec

from tradingd.features.series import Floats, LiveBar, Moment, Panel, Series
from tradingd.session.calendar import SessionCalendar


class Context(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a feature may know beside bars: published schedules, nothing that prices told.

    Parameters
    ----------
    calendar : SessionCalendar
        `Series.session` counts its sessions.
    bars : str
        Resolution, ``1m`` and so on.
    sectors : mapping
        Sector by symbol.
    earnings : mapping
        Announcement dates by symbol, rising.
    """

    calendar: SessionCalendar
    bars: str = "1d"
    sectors: Mapping[str, str] = {}
    earnings: Mapping[str, tuple[dt.date, ...]] = {}


class FeatureParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parameters of a kind; unknown ones are refused."""


class Live(Protocol):
    """One symbol's feature, bar by bar, in bounded memory."""

    def update(self, bar: LiveBar) -> float:
        """Take the next bar; return the value, nan while it has none."""
        ...

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`, and divide every volume by it."""
        ...


class LiveCross(Protocol):
    """A feature across symbols, moment by moment."""

    def update(self, moment: Moment) -> Floats:
        """Take the next moment; return values of shape (symbols,), nan where there is none."""
        ...

    def rescale(self, column: int, factor: float) -> None:
        """As `Live.rescale`, for one symbol's column."""
        ...


class Feature:
    """A kind with its parameters.

    Parameters
    ----------
    params : FeatureParams
        Of the class's `Params`.

    Attributes
    ----------
    kind : str
        Name in the configuration.
    summary, source : str
        One line for the list; paper, book or page with the formula.
    inputs : tuple of str
        Columns of `Series` it reads.
    version : int
        Raised whenever the values change; part of the hash that a model is bound to.
    windowed : bool
        A value follows from a fixed number of last bars and nothing else, and is nan until there
        are so many. Short series of many symbols are then computed as one long one.
    parted : bool
        `batch` begins anew at every one of `Series.starts` by itself, or looks at no other bar:
        short series of many symbols may be computed as one, and nothing is left out.
    quote_only : bool
        A value follows from the standing quote alone and nothing is remembered: between bars it is
        computed again on each quote where a model predicts on quotes.
    context : Context
        Set by `compile_features` before the first use.
    """

    Params: ClassVar[type[FeatureParams]] = FeatureParams
    kind: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ("close",)
    version: ClassVar[int] = 1
    windowed: ClassVar[bool] = False
    parted: ClassVar[bool] = False
    quote_only: ClassVar[bool] = False
    context: Context

    def __init__(self, params: Any) -> None:
        self.params = params

    @property
    def memory(self) -> int:
        """Bars before the present one after which a cold start is forgotten.

        The value then equals that of any longer history to 1e-12 of its size.
        """
        raise NotImplementedError(type(self).__name__)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars, nan where there is none; scale-free in prices."""
        raise NotImplementedError(type(self).__name__)

    def live(self) -> Live:
        """Return the computation bar by bar, cold."""
        raise NotImplementedError(type(self).__name__)

    def live_of(self, symbol: str) -> Live:
        """As `live`, for a kind whose values depend on which symbol it is."""
        del symbol
        return self.live()


class CrossFeature(Feature):
    """A kind that compares symbols at one moment.

    `inputs` names columns of the panel: ``close``, or, through a parameter ``of``, another declared
    feature (then `needs` names it).

    Attributes
    ----------
    refers_to_benchmark : bool
        It has no value without `FeaturesConfig.benchmark`.
    refers_to_sectors : bool
        It has no value without `FeaturesConfig.sectors`.
    """

    refers_to_benchmark: ClassVar[bool] = False
    refers_to_sectors: ClassVar[bool] = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the panel it reads: ``close`` or names of declared features."""
        return self.inputs

    def batch_panel(self, panel: Panel) -> Floats:
        """Return values of shape (moments, symbols)."""
        raise NotImplementedError(type(self).__name__)

    def live_panel(self, symbols: int) -> LiveCross:
        """Return the computation moment by moment, cold, for so many symbols."""
        raise NotImplementedError(type(self).__name__)
