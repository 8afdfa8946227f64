"""Section 31, FINRA TAF and CAT fees of one fill, from the dated table."""

import datetime as dt
from fractions import Fraction

import msgspec

from tradingd.costs.arithmetic import Rate
from tradingd.costs.notes import Notes
from tradingd.costs.rates import RegulatoryTable, row_on
from tradingd.domain.money import Nanos, nanos
from tradingd.domain.orders import Side


class RegulatoryFees(msgspec.Struct, frozen=True):
    """What regulators take of one fill."""

    section_31: Nanos = 0
    taf: Nanos = 0
    cat: Nanos = 0

    @property
    def total(self) -> Nanos:
        """Sum of the three."""
        return self.section_31 + self.taf + self.cat


class Regulators:
    """Charges the regulatory fees in force on the day of a fill.

    Section 31 and TAF fall on sales (short sales too), CAT on both sides; the TAF cap holds per
    execution, as FINRA's By-Laws (Schedule A, section 1) say.
    """

    def __init__(self, table: RegulatoryTable, notes: Notes) -> None:
        self._table = table
        self._notes = notes
        self._day: dt.date | None = None
        self._section_31 = Rate(Fraction(0))
        self._taf: Nanos = 0
        self._taf_cap: Nanos = 0
        self._cat: Nanos = 0

    def charge(self, side: Side, quantity: int, value: Nanos, day: dt.date) -> RegulatoryFees:
        """Return the fees of one fill, exact to the nano."""
        if day != self._day:
            self._look_up(day)
        cat = quantity * self._cat
        if side is Side.BUY:
            return RegulatoryFees(cat=cat)
        taf = min(quantity * self._taf, self._taf_cap)
        return RegulatoryFees(section_31=self._section_31.of(value), taf=taf, cat=cat)

    def _look_up(self, day: dt.date) -> None:
        section = row_on(self._table.section_31, day)
        taf = row_on(self._table.taf, day)
        cat = row_on(self._table.cat, day)
        self._section_31 = Rate(Fraction(section.per_million) / 1_000_000)
        self._taf, self._taf_cap = nanos(taf.per_share), nanos(taf.cap)
        self._cat = nanos(cat.per_share)
        self._notes.row("Section 31", section)
        self._notes.row("TAF", taf)
        self._notes.row("CAT", cat)
        self._day = day
