"""Exact money: `Nanos` are integers of 1e-9 currency units, Decimal at the edges.

The scale equals the history store's DECIMAL(18,9), so a stored price converts without rounding.
Hot paths (gate, book, costs) compute on these integers; people and files see Decimal.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

type Nanos = int
"""A price or an amount of money in units of 1e-9 of the currency."""

SCALE: Final = 1_000_000_000
CENT: Final = SCALE // 100

_QUANTUM: Final = Decimal(1).scaleb(-9)
_CENTS: Final = Decimal("0.01")


def nanos(value: Decimal | int | str) -> Nanos:
    """Convert an exact decimal amount; refuse what needs more than nine decimals."""
    scaled = Decimal(value).scaleb(9)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{value} has more than nine decimals")
    return whole


def decimal(amount: Nanos) -> Decimal:
    """Convert to an exact Decimal with nine decimals."""
    return Decimal(amount).scaleb(-9)


def to_cents(amount: Nanos) -> Nanos:
    """Round half away from zero to whole cents, as broker statements do."""
    cents = (abs(amount) + CENT // 2) // CENT * CENT
    return cents if amount >= 0 else -cents


def rounded(value: Decimal) -> Nanos:
    """Convert a computed Decimal, rounding half away from zero to nine decimals."""
    return int(value.quantize(_QUANTUM, rounding=ROUND_HALF_UP).scaleb(9))


def dollars(amount: Nanos) -> str:
    """Format an amount for a person: thousands separators, two decimals."""
    return f"{decimal(to_cents(amount)):,.2f}"


def price_text(price: Nanos) -> str:
    """Format a price exactly, with cents at least."""
    exact = decimal(price)
    cents = exact.quantize(_CENTS)
    return f"{cents}" if cents == exact else f"{exact.normalize():f}"
