"""Exact amounts: decimal text on the wire, integers of 1e-9 dollars inside.

Written anew rather than taken from the daemon: the broker shares no arithmetic with its client.
"""

from typing import Final

ONE: Final = 1_000_000_000
CENT: Final = ONE // 100
PRICE_STEP: Final = ONE // 10_000
"""Fills are on a grid of 0.0001 dollars, the finest price increment of US equities."""


class BadRequest(Exception):
    """A message that cannot be understood; the text tells its sender why."""


def parse(text: object, name: str) -> int:
    """Read a decimal number with at most nine decimals.

    Raises
    ------
    BadRequest
        When it is no such text; floats are refused, since they are not exact.
    """
    if not isinstance(text, str):
        raise BadRequest(f"{name} must be a decimal number in a string, not {text!r}")
    digits = text[1:] if text[:1] == "-" else text
    whole, _, fraction = digits.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 10 and len(fraction) <= 9):
        raise BadRequest(f"{name} is not a decimal number: {text!r}")
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise BadRequest(f"{name} is not a decimal number: {text!r}")
    amount = int(whole) * ONE + int(fraction.ljust(9, "0"))
    return -amount if text[:1] == "-" else amount


def text(amount: int) -> str:
    """Write an amount without needless zeros."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), ONE)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:09d}".rstrip("0")


def optional_text(amount: int | None) -> str | None:
    """Write an amount that may be missing."""
    return None if amount is None else text(amount)


def ratio(value: int, numerator: int, denominator: int) -> int:
    """Return value x numerator / denominator for a value >= 0, rounded half up."""
    return (value * numerator * 2 + denominator) // (denominator * 2)


def on_grid(price: int, grid: int) -> int:
    """Round a price to the nearest step of a grid, half up, never to zero."""
    return max(grid, (price + grid // 2) // grid * grid)
