from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.domain.money import decimal, dollars, nanos, price_text, rounded, to_cents


def test_a_price_converts_exactly_both_ways():
    assert nanos(Decimal("645.57")) == 645_570_000_000
    assert decimal(645_570_000_000) == Decimal("645.57")


def test_an_amount_finer_than_nine_decimals_is_refused():
    with pytest.raises(ValueError, match="nine decimals"):
        nanos("0.0000000001")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=9))
def test_every_nine_decimal_amount_survives_the_round_trip(value):
    assert decimal(nanos(value)) == value


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0.005", "0.01"), ("0.004999999", "0"), ("-0.005", "-0.01"), ("1.015", "1.02")],
)
def test_half_a_cent_rounds_away_from_zero(amount, cents):
    assert to_cents(nanos(amount)) == nanos(cents)


def test_a_computed_amount_rounds_half_up_at_nine_decimals():
    assert rounded(Decimal("0.0000000005")) == 1
    assert rounded(Decimal("0.00000000049")) == 0


def test_dollars_are_shown_with_separators_and_two_decimals():
    assert dollars(nanos("1234567.891")) == "1,234,567.89"


@pytest.mark.parametrize(
    ("price", "text"),
    [("12.5", "12.50"), ("0.1234", "0.1234"), ("100", "100.00"), ("1E-9", "0.000000001")],
)
def test_a_price_is_shown_exactly_with_cents_at_least(price: str, text: str):
    assert price_text(nanos(price)) == text
