import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.simbroker.amounts import BadRequest, on_grid, parse, ratio, text


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_an_amount_survives_the_wire(amount):
    assert parse(text(amount), "amount") == amount


@pytest.mark.parametrize(
    ("said", "amount"),
    [("1", 10**9), ("0.000000001", 1), ("-2.5", -2_500_000_000), ("100.", 100 * 10**9)],
)
def test_decimal_text_is_read_exactly(said, amount):
    assert parse(said, "price") == amount


@pytest.mark.parametrize(
    "said",
    [1.5, 3, None, True, "", "-", "1e3", "1,5", "0.0000000001", "nan", "+1", "٣", "1.²", " 1"],
    ids=repr,
)
def test_what_is_no_exact_decimal_text_is_refused(said):
    with pytest.raises(BadRequest, match="price"):
        parse(said, "price")


def test_ratios_round_half_up():
    assert ratio(5, 1, 2) == 3
    assert ratio(7, 1, 7) == 1
    assert ratio(10, 1, 3) == 3


def test_prices_on_a_grid_never_reach_zero():
    assert on_grid(14, 10) == 10
    assert on_grid(15, 10) == 20
    assert on_grid(1, 10) == 10
