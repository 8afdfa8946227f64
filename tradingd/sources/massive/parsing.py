"""Massive's aggregates, splits and dividends to ours; pure.

An aggregate's `timestamp` is the start of its window in milliseconds, UTC; a day begins at New
York midnight. Source: massive.com/docs (aggregates, splits, dividends).
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.sources.columns import Bars, Integers
from tradingd.sources.rational import split_terms
from tradingd.sources.remote import values
from tradingd.sources.remote.trouble import Kind, Trouble
from tradingd.sources.times import session_closes

_MILLISECOND: Final = 1_000_000


def bars(found: Sequence[Any], resolution: Resolution, calendar: SessionCalendar) -> Bars:
    """Return bars stamped at their end; daily ones at their session's close."""
    starts = np.array([_start(one) for one in found], dtype=np.int64)
    opened, high, low, close = (
        values.prices(getattr(one, name) for one in found)
        for name in ("open", "high", "low", "close")
    )
    volume = values.volumes(one.volume for one in found)
    return Bars(_ends(starts, resolution, calendar), opened, high, low, close, volume)


def _start(one: Any) -> int:
    if not isinstance(one.timestamp, int):
        raise Trouble(Kind.GARBLED, f"no time: {one.timestamp!r}")
    return one.timestamp * _MILLISECOND


def _ends(starts: Integers, resolution: Resolution, calendar: SessionCalendar) -> Integers:
    if resolution is not Resolution.DAY:
        return starts + resolution.nanoseconds
    return session_closes(calendar, values.days([local_date(ts) for ts in starts.tolist()]))


def splits(symbol: str, found: Iterable[Any]) -> Iterator[CorporateAction]:
    """Yield splits, reverse splits and stock dividends: `split_to` new for `split_from` old."""
    for one in found:
        old, new = _positive(one.split_from), _positive(one.split_to)
        numerator, denominator = split_terms(new / old)
        yield CorporateAction(
            symbol=symbol,
            ex_date=values.day(one.execution_date),
            kind=ActionKind.SPLIT,
            numerator=numerator,
            denominator=denominator,
            source="massive",
        )


def dividends(symbol: str, found: Iterable[Any]) -> Iterator[CorporateAction]:
    """Yield cash dividends in dollars, one per ex-date: several on one day are one amount."""
    amounts: dict[Any, int] = {}
    for one in found:
        if (one.currency or "USD") == "USD":
            day = values.day(one.ex_dividend_date)
            amounts[day] = amounts.get(day, 0) + values.price(one.cash_amount)
    for day, amount in sorted(amounts.items()):
        yield CorporateAction(
            symbol=symbol,
            ex_date=day,
            kind=ActionKind.DIVIDEND,
            amount=amount,
            source="massive",
        )


def _positive(value: Any) -> Fraction:
    try:
        number = Fraction(value)
    except (TypeError, ValueError):
        raise Trouble(Kind.GARBLED, f"no split term: {value!r}") from None
    if number <= 0:
        raise Trouble(Kind.GARBLED, f"no split term: {value!r}")
    return number
