"""Recover the plain decimal behind a computed amount."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

_MOST_PLACES: Final = 9


def shortest_within(value: Decimal, uncertainty: Decimal, *, least_places: int = 2) -> Decimal:
    """Return the decimal with the fewest places that differs by at most `uncertainty`.

    At most nine places (the store's scale) are kept, whatever the uncertainty.
    """
    for places in range(least_places, _MOST_PLACES):
        rounded = _round(value, places)
        if abs(rounded - value) <= uncertainty:
            return rounded
    return _round(value, _MOST_PLACES)


def _round(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
