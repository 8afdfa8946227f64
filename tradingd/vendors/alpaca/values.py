"""Alpaca's raw rows to exact integers: prices to Nanos, RFC 3339 times to UTC nanoseconds."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tradingd.domain.feed import MarketBar
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos, rounded

_LARGEST: Final = 9 * 10**18
"""What a signed 64-bit integer of nanos holds: nine billion dollars."""


class Unreadable(ValueError):
    """A value that is no number, time or text; says which."""


def price(value: object) -> Nanos:
    """Return a price in Nanos; more than nine decimals are rounded half up.

    Raises
    ------
    Unreadable
        For anything that is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unreadable(f"{value!r} is no price")
    try:
        exact = Decimal(value)
        if not exact.is_finite() or not -_LARGEST < exact.scaleb(9) < _LARGEST:
            raise Unreadable(f"{value!r} is no price")
        return rounded(exact)
    except InvalidOperation:
        raise Unreadable(f"{value!r} is no price") from None


def count(value: object) -> int:
    """Return whole shares; a fraction of a share (fractional trading) is cut off.

    Raises
    ------
    Unreadable
        For anything that is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unreadable(f"{value!r} is no number of shares")
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unreadable(f"{value!r} is no number of shares")
    return int(value)


def instant(text: object) -> int:
    """Return UTC nanoseconds of an RFC 3339 time with up to nine decimals.

    Raises
    ------
    Unreadable
        For anything else.
    """
    if not isinstance(text, str):
        raise Unreadable(f"{text!r} is no time")
    head, point, rest = text.partition(".")
    digits = ""
    if point:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        head += rest[len(digits) :]
    try:
        moment = dt.datetime.fromisoformat(head)
    except ValueError:
        raise Unreadable(f"{text!r} is no time") from None
    if moment.tzinfo is None or len(digits) > 9 or (point and not digits):
        raise Unreadable(f"{text!r} is no time")
    return int(moment.timestamp()) * NANOSECONDS + int(digits.ljust(9, "0"))


def rfc3339(ts: int) -> str:
    """Return UTC nanoseconds as Alpaca's parameters want them."""
    seconds, nanos = divmod(ts, NANOSECONDS)
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    fraction = f".{nanos:09d}" if nanos else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def bar_of(symbol: str, row: Mapping[str, Any]) -> tuple[int, MarketBar]:
    """Return the start (UTC ns) and the bar of a raw row of the bars endpoint.

    Raises
    ------
    Unreadable
        When a value is missing or none.
    """
    try:
        return instant(row["t"]), MarketBar(
            symbol,
            price(row["o"]),
            price(row["h"]),
            price(row["l"]),
            price(row["c"]),
            count(row["v"]),
        )
    except KeyError as missing:
        raise Unreadable(f"no {missing.args[0]!r} in the row") from None


def sound(bar: MarketBar) -> bool:
    """Tell whether a bar can be real: positive, low <= open, close <= high, no negative volume."""
    low, high = bar.low, bar.high
    return 0 < low <= bar.open <= high and low <= bar.close <= high and bar.volume >= 0
