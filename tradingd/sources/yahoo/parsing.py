"""Yahoo's split-adjusted days back to what was traded; pure.

Yahoo divides all prices, volumes and dividends of the past by every later split, and sends
prices in single precision (150.77 comes as 150.77000427246094). So each is multiplied by the
later splits, and of the decimals within single precision's error the shortest is taken: below
80,000 dollars (as traded, in whole cents) that is the traded price.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite

import numpy as np

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import rounded
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars
from tradingd.sources.rational import split_terms
from tradingd.sources.remote import values
from tradingd.sources.remote.trouble import Kind, Trouble
from tradingd.sources.remote.vendor import Fetched
from tradingd.sources.rounding import shortest_within
from tradingd.sources.times import session_closes
from tradingd.sources.yahoo.client import Day

_DOUBLE_ERROR = Decimal("5e-10")


def fetched(days: Sequence[Day], last: dt.date, calendar: SessionCalendar) -> Fetched:
    """Return bars as traded up to `last`, stamped at their session's close.

    Days without all four prices are left out and counted.
    """
    growth = later_splits(days)
    asked = [one for one in days if one.day <= last]
    whole = [one for one in asked if all(isfinite(price) for price in _prices(one))]
    opened, high, low, close = (
        np.array([_nanos(_prices(one)[place], growth[one.day]) for one in whole], dtype=np.int64)
        for place in range(4)
    )
    volume = [round(Fraction(one.volume) / growth[one.day]) for one in whole]
    bars = Bars(
        session_closes(calendar, values.days([one.day for one in whole])),
        opened,
        high,
        low,
        close,
        np.array(volume, dtype=np.int64),
    )
    missing = len(asked) - len(whole)
    return Fetched(bars=bars, skipped={"missing_value": missing} if missing else {})


def later_splits(days: Sequence[Day]) -> dict[dt.date, Fraction]:
    """Return, for each day, how many shares of now one share of that day became."""
    growth: dict[dt.date, Fraction] = {}
    product = Fraction(1)
    for one in reversed(days):
        growth[one.day] = product
        if terms := _terms(one):
            product *= Fraction(*terms)
    return growth


def actions(
    symbol: str, days: Sequence[Day], first: dt.date, last: dt.date
) -> Iterator[CorporateAction]:
    """Yield splits and dividends (in the shares of their time) of some days."""
    growth = later_splits(days)
    for one in days:
        if not first <= one.day <= last:
            continue
        if terms := _terms(one):
            yield CorporateAction(
                symbol=symbol,
                ex_date=one.day,
                kind=ActionKind.SPLIT,
                numerator=terms[0],
                denominator=terms[1],
                source="yahoo",
            )
        if isfinite(one.dividend) and one.dividend > 0:
            yield CorporateAction(
                symbol=symbol,
                ex_date=one.day,
                kind=ActionKind.DIVIDEND,
                amount=_nanos(one.dividend, growth[one.day]),
                source="yahoo",
            )


def _terms(one: Day) -> tuple[int, int] | None:
    if not one.split or not isfinite(one.split) or one.split == 1:
        return None
    if one.split < 0:
        raise Trouble(Kind.GARBLED, f"no split: {one.split}")
    return split_terms(Fraction(repr(one.split)))


def _prices(one: Day) -> tuple[float, float, float, float]:
    return one.open, one.high, one.low, one.close


def _nanos(value: float, growth: Fraction) -> int:
    """Return a value in the shares of its time, without the noise of single precision."""
    single = np.float32(value)
    noise = Decimal(float(np.spacing(np.abs(single)))) / 2 if single == value else _DOUBLE_ERROR
    exact = Decimal(value) if single == value else Decimal(repr(value))
    scale = Decimal(growth.numerator) / Decimal(growth.denominator)
    return rounded(shortest_within(exact * scale, noise * scale))
