from decimal import Decimal

from tradingd.sources.rounding import shortest_within


def test_the_shortest_decimal_inside_the_uncertainty_is_taken() -> None:
    assert shortest_within(Decimal("2.64996"), Decimal("0.0001")) == Decimal("2.65")
    # 0.21 is 0.005 away, 0.205 is 0.00002 away.
    assert shortest_within(Decimal("0.20502"), Decimal("0.00005")) == Decimal("0.205")


def test_nothing_beyond_nine_decimals_is_kept() -> None:
    assert shortest_within(Decimal("0.1234567894"), Decimal(0)) == Decimal("0.123456789")
