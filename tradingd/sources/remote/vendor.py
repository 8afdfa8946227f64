"""What a vendor's own package provides; the rest of a source is the same for all."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from tradingd.domain.market import CorporateAction, Resolution
from tradingd.sources.columns import Bars


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one symbol as the vendor sent them, times already our closes.

    `skipped` counts what was left out on the way, by reason.
    """

    bars: Bars
    skipped: Mapping[str, int] = {}


class Vendor(Protocol):
    """One vendor, spoken to in our words; constructing one touches nothing."""

    @property
    def name(self) -> str:
        """Short name, kept as provenance."""
        ...

    @property
    def resolutions(self) -> Sequence[Resolution]:
        """Bar lengths the vendor has."""
        ...

    @property
    def knows_actions(self) -> bool:
        """Whether it publishes splits and dividends."""
        ...

    @property
    def key(self) -> str:
        """Reference of the secret; empty when none is needed."""
        ...

    def bars(self, symbol: str, resolution: Resolution, first: dt.date, last: dt.date) -> Fetched:
        """Return unadjusted bars of New York days, both inclusive, in any order.

        Raises
        ------
        Trouble
        """
        ...

    def actions(self, symbol: str, first: dt.date, last: dt.date) -> Sequence[CorporateAction]:
        """Return splits and dividends by ex-date, both ends inclusive.

        Raises
        ------
        Trouble
        """
        ...
