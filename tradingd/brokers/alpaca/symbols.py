"""Symbols as Alpaca writes them: share classes with a dot (``BRK.B``), and nothing else converted.

The store, the strategies and Alpaca's data use the same form, so a symbol is checked, not changed:
another spelling is refused with the right one instead of being guessed.
"""

import re
from typing import Final

_FORM: Final = re.compile(r"[A-Z][A-Z0-9]{0,11}(\.[A-Z0-9]{1,4}){0,2}")
_CLASS: Final = re.compile(r"([A-Za-z0-9]{1,12})[-/ ]([A-Za-z]{1,3})")


def refusal(symbol: str) -> str | None:
    """Return why a symbol cannot be one of Alpaca's US shares, None when it can."""
    if _FORM.fullmatch(symbol):
        return None
    share_class = _CLASS.fullmatch(symbol)
    if share_class:
        better = f"{share_class[1]}.{share_class[2]}".upper()
        return f"Alpaca writes the share class of {symbol} with a dot: {better}"
    return f"{symbol!r} is not a symbol of US shares at Alpaca"
