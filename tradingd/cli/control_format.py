"""How `tradingctl` and `top` write times, money, labels and other people's text."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Final

from tradingd.session.calendar import NEW_YORK

_UNPRINTABLE: Final = dict.fromkeys((*range(32), *range(127, 160)), " ")
"""Control characters, terminal escapes among them: a reason must not paint somebody's screen."""


def clean(text: object) -> str:
    """Return text on one line, without control characters."""
    return str(text).translate(_UNPRINTABLE)


def money(text: str | None) -> str:
    """Return an amount with thousands separators and as many decimals as it has, two at least."""
    if text is None:
        return ""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return clean(text)
    if not value.is_finite():
        return clean(text)
    exponent = value.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{value:,.{decimals}f}"


def signed(text: str) -> str:
    """Return an amount with its sign, a gain's too."""
    shown = money(text)
    return shown if shown.startswith("-") or text.startswith("-") else "+" + shown


def exchange_time(ts: int | None, *, day: bool = True) -> str:
    """Return UTC nanoseconds as the exchange's local time; empty for none."""
    if not ts:
        return ""
    local = dt.datetime.fromtimestamp(ts // 1_000_000_000, tz=NEW_YORK)
    return local.strftime("%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S")


def span(nanoseconds: int) -> str:
    """Return a length of time in its two largest units: 3d 4h, 2h 5m, 7m 3s, 12s."""
    seconds = max(0, nanoseconds) // 1_000_000_000
    units = (("d", seconds // 86_400), ("h", seconds // 3_600 % 24), ("m", seconds // 60 % 60))
    parts = [f"{count}{unit}" for unit, count in (*units, ("s", seconds % 60))]
    first = next((index for index, part in enumerate(parts) if not part.startswith("0")), 3)
    return " ".join(parts[first : first + 2])


def label(mode: str, synthetic: bool) -> str:
    """Return what must never be overlooked: whose money, and whether the data is made up."""
    return mode.upper() + (" · SYNTHETIC DATA" if synthetic else "")
