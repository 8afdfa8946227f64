"""Vendors' numbers and times to exact integers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import SCALE, rounded
from tradingd.sources.columns import Integers
from tradingd.sources.remote.trouble import Kind, Trouble


def prices(values: Iterable[Decimal | str | int]) -> Integers:
    """Return nanos of decimal texts, exactly; what is beyond nine decimals is rounded.

    Raises
    ------
    Trouble
        GARBLED for what is no number below a billion dollars.
    """
    return np.array([price(value) for value in values], dtype=np.int64)


def price(value: Decimal | str | int) -> int:
    """Return nanos of one decimal text; see `prices`."""
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise Trouble(Kind.GARBLED, f"no price: {value!r}") from None
    if not number.is_finite() or abs(number) >= SCALE:
        raise Trouble(Kind.GARBLED, f"no price: {value!r}")
    return rounded(number)


def volumes(values: Iterable[Decimal | str | int]) -> Integers:
    """Return whole shares; fractions of shares are rounded to the nearest (half up).

    Raises
    ------
    Trouble
        GARBLED for what is no number.
    """
    return np.array([_volume(value) for value in values], dtype=np.int64)


def _volume(value: Decimal | str | int) -> int:
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise Trouble(Kind.GARBLED, f"no volume: {value!r}") from None
    if not number.is_finite() or abs(number) >= 2**62:
        raise Trouble(Kind.GARBLED, f"no volume: {value!r}")
    return int((number + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))


def instant(text: str) -> int:
    """Return UTC nanoseconds of an ISO-8601 time with Z or an offset, exact to the microsecond.

    Raises
    ------
    Trouble
        GARBLED for anything else.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(Kind.GARBLED, f"no time: {text!r}") from None
    if moment.tzinfo is None:
        raise Trouble(Kind.GARBLED, f"a time without a zone: {text!r}")
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return microseconds * (NANOSECONDS // 1_000_000)


def day(text: str) -> dt.date:
    """Return the date that a text begins with.

    Raises
    ------
    Trouble
        GARBLED for anything else.
    """
    try:
        return dt.date.fromisoformat(str(text)[:10])
    except ValueError:
        raise Trouble(Kind.GARBLED, f"no date: {text!r}") from None


def days(values: Sequence[dt.date]) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """Return dates as NumPy days."""
    return np.array(values, dtype="datetime64[D]")
