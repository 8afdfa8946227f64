"""Exact products of money and rates; fees round half up to a nano unless their broker differs."""

from decimal import Decimal
from fractions import Fraction

from tradingd.domain.money import CENT, Nanos


class Rate:
    """An exact non-negative factor, kept as two integers because fees are charged per fill."""

    __slots__ = ("_denominator", "_numerator")

    def __init__(self, factor: Decimal | Fraction) -> None:
        exact = Fraction(factor)
        self._numerator = exact.numerator
        self._denominator = exact.denominator

    def of(self, amount: int) -> Nanos:
        """Multiply, rounding half up to a whole number."""
        return (2 * amount * self._numerator + self._denominator) // (2 * self._denominator)


def cents_up(amount: Nanos) -> Nanos:
    """Round a non-negative amount up to whole cents."""
    return -(-amount // CENT) * CENT
