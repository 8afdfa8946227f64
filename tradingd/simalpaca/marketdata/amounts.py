"""Prices: whole 1e-9 dollars inside, JSON numbers on the wire."""

from typing import Final

import msgspec

from tradingd.simbroker.amounts import ONE
from tradingd.simbroker.amounts import text as decimal_text

_EXACT_IN_DOUBLE: Final = 10**15


def number(nanos: int) -> float | msgspec.Raw:
    """Return an amount as the JSON number with exactly its decimals.

    A double's shortest text is the decimal it was made from up to 15 digits, which is a million
    dollars; more is written as text.
    """
    if -_EXACT_IN_DOUBLE < nanos < _EXACT_IN_DOUBLE:
        return nanos / ONE
    return msgspec.Raw(decimal_text(nanos).encode())


def double(nanos: int) -> float:
    """Return an amount as the nearest double, for codecs without decimal numbers."""
    return nanos / ONE
