"""What holding a short overnight costs."""

import datetime as dt
from fractions import Fraction

from tradingd.costs.arithmetic import Rate
from tradingd.domain.money import Nanos

_YEAR_DAYS = 360
"""Stock loan fees accrue actual/360 in the US money market convention."""


class AnnualBorrow:
    """One annual rate on the closing value of a short, for every calendar night it is held.

    Real lenders charge by symbol and day and on slightly more than the value (IBKR: 102 %, rounded
    up to the dollar); this is one rate for all.

    Parameters
    ----------
    annual_percent : float
        Fee per year; taken to the nearest 0.0001 % once.
    """

    def __init__(self, annual_percent: float) -> None:
        self._per_night = Fraction(round(annual_percent * 10_000), 1_000_000 * _YEAR_DAYS)

    def accrue(self, quantity: int, close: Nanos, nights: int, day: dt.date) -> Nanos:
        """Return the fee of a short (of either sign) over calendar nights, half up to a nano."""
        return Rate(self._per_night * nights).of(abs(quantity) * close)
