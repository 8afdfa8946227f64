from fractions import Fraction

import pytest

from tradingd.sources.rational import split_terms


@pytest.mark.parametrize(
    ("growth", "terms"),
    [
        pytest.param(Fraction("0.25") / Fraction("0.03571430"), (7, 1), id="aapl 2014"),
        pytest.param(Fraction("1") / Fraction("0.25"), (4, 1), id="aapl 2020"),
        pytest.param(Fraction("10.6667") / Fraction("7.11111022"), (3, 2), id="aig 1998"),
        pytest.param(Fraction("3.0003") / Fraction("1.49993008"), (2, 1), id="twx 1999"),
        pytest.param(1 / Fraction("3.0003"), (1, 3), id="twx 2009 reverse"),
        pytest.param(Fraction(1, 8), (1, 8), id="uso 2020 reverse"),
        pytest.param(1 / Fraction("0.997307"), (1_000_000, 997_307), id="goog 2015 as published"),
    ],
)
def test_a_rounded_factor_becomes_the_split_it_stands_for(
    growth: Fraction, terms: tuple[int, int]
) -> None:
    assert split_terms(growth) == terms


def test_a_ratio_just_outside_the_tolerance_stays_as_published() -> None:
    # 2.0007 is 3.5 parts in 10,000 away from 2.
    assert split_terms(Fraction(20_007, 10_000)) == (20_007, 10_000)
