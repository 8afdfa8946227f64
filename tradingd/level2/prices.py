"""Prices of a book: Nanos to stored 1/10,000 dollar, exactly or not at all."""

from typing import Final

from tradingd.domain.money import SCALE, price_text
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import NO_ASK
from tradingd.level2.columns import PRICE_SCALE

UNIT: Final = SCALE // PRICE_SCALE
"""Nanos per stored unit."""

HIGHEST: Final = NO_ASK - 1
"""Highest stored price; `NO_ASK` itself says that there is none."""

MOST: Final = 2**31 - 1
"""Most shares, or orders, that a level can hold."""


def stored_price(nanos: int | None, *, where: str) -> int | None:
    """Convert a price to stored units; None (no such level) stays None.

    Parameters
    ----------
    nanos : int or None
        Price in units of 1e-9 dollar.
    where : str
        Symbol and time, for the person who reads the refusal.

    Raises
    ------
    Failure
        INVALID_ROW: finer than 1/10,000 dollar, not positive, or above 214,748.3646 dollar.
    """
    if nanos is None:
        return None
    units, rest = divmod(nanos, UNIT)
    if rest or not 0 < units <= HIGHEST:
        raise unstorable_price(nanos, where)
    return units


def stored_count(value: int, *, where: str) -> int:
    """Return a size or a number of orders, if it fits the 32 bits of its column.

    Raises
    ------
    Failure
        INVALID_ROW when it does not.
    """
    if not 0 <= value <= MOST:
        raise unstorable_count(value, where)
    return value


def unstorable_price(nanos: int, where: str) -> Failure:
    """Return the refusal of a price that the columns cannot hold exactly."""
    return Failure(
        "A price of a book cannot be stored exactly",
        code=ExitCode.INVALID_ROW,
        where=where,
        expected=f"a multiple of 0.0001 up to {price_text(HIGHEST * UNIT)}",
        found=price_text(nanos),
    )


def unstorable_count(value: int, where: str) -> Failure:
    """Return the refusal of a size or a number of orders that the columns cannot hold."""
    return Failure(
        "A size of a book is too large",
        code=ExitCode.INVALID_ROW,
        where=where,
        expected=f"0 to {MOST}",
        found=str(value),
    )
