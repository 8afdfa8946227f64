"""Recover splits and dividends from closes and adjusted closes.

The adjusted closes grow by each day's total return, so between two days

    growth = (adjusted / adjusted before) / (close / close before)

is 1, or the split (2 for 2:1), or 1 + dividend / close of the ex-date. Adjusted closes carry
12 decimals and were computed from the same closes to the cent, so growth strays from 1 by at
most 1e-13 on quiet days, and dividends come out within 1e-11 USD of whole cents. The amount
taken is the shortest decimal within 1e-9 USD. Dividends of one ex-date are one amount (MSFT
2004-11-15: 3.00 special + 0.08 regular = 3.08).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.sources.rational import split_terms
from tradingd.sources.rounding import shortest_within

UNCHANGED: Final = Decimal("1e-9")
"""Growth this close to 1 is rounding; the smallest real dividend moves it by 1e-3."""

AMOUNT_UNCERTAINTY: Final = Decimal("1e-9")

# MSFT's special dividend of 2004 was 11 % of the price; splits here double the shares.
_SMALLEST_SPLIT: Final = Decimal("1.2")


class Day(NamedTuple):
    """One day's closes."""

    day: dt.date
    close: Decimal
    adjusted: Decimal


def derive_actions(symbol: str, days: Sequence[Day]) -> Iterator[CorporateAction]:
    """Yield the splits and dividends of one symbol, oldest first."""
    for before, now in pairwise(days):
        growth = (now.adjusted / before.adjusted) / (now.close / before.close)
        if abs(growth - 1) <= UNCHANGED:
            continue
        if growth >= _SMALLEST_SPLIT or growth < 1:
            numerator, denominator = split_terms(Fraction(growth))
            yield CorporateAction(
                symbol=symbol,
                ex_date=now.day,
                kind=ActionKind.SPLIT,
                numerator=numerator,
                denominator=denominator,
                source="sample",
            )
        else:
            amount = shortest_within((growth - 1) * now.close, AMOUNT_UNCERTAINTY)
            yield CorporateAction(
                symbol=symbol,
                ex_date=now.day,
                kind=ActionKind.DIVIDEND,
                amount=nanos(amount),
                source="sample",
            )
