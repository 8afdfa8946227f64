"""Find the split that a rounded factor stands for."""

from fractions import Fraction
from typing import Final

LARGEST_TERM: Final = 30
TOLERANCE: Final = Fraction(3, 10_000)
PUBLISHED_TERM: Final = 1_000_000


def split_terms(ratio: Fraction) -> tuple[int, int]:
    """Return (numerator, denominator) of new shares for old shares.

    Published factors are rounded in ways their digits do not show (10.6667/7.11111022 is a 3:2
    split), so a ratio within 3 parts in 10,000 of a fraction with terms up to 30 is that
    fraction. Anything else (a stock dividend of 0.27 %, a spin-off ratio) stays as published,
    with a denominator of up to a million.
    """
    small = Fraction(ratio).limit_denominator(LARGEST_TERM)
    if ratio > 1:
        small = 1 / (1 / Fraction(ratio)).limit_denominator(LARGEST_TERM)
    if _is_split(small) and abs(small - ratio) <= ratio * TOLERANCE:
        return small.numerator, small.denominator
    published = Fraction(ratio).limit_denominator(PUBLISHED_TERM)
    return published.numerator, published.denominator


def _is_split(value: Fraction) -> bool:
    return value > 0 and value != 1 and max(value.numerator, value.denominator) <= LARGEST_TERM
