import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.domain.money import nanos
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.remote import values
from tradingd.sources.remote.trouble import Trouble
from tradingd.sources.yahoo import parsing
from tradingd.sources.yahoo.client import Day

CALENDAR = SessionCalendar()
D = dt.date


def day(number: int, price: float, *, split: float = 0.0, dividend: float = 0.0) -> Day:
    return Day(D(2024, 1, number), price, price, price, price, 1_000, dividend, split)


@settings(deadline=None)
@given(
    cents=st.integers(min_value=1, max_value=8_000_000),
    split=st.sampled_from([1, 2, 3, 4, 7, 10, 20]),
)
def test_a_traded_price_in_cents_survives_single_precision_and_splits(
    cents: int, split: int
) -> None:
    traded = Decimal(cents) / 100
    sent = float(np.float32(float(traded / split)))
    days = [day(2, sent), day(3, 1.0, split=float(split))]
    (price,) = parsing.fetched(days, D(2024, 1, 2), CALENDAR).bars.close.tolist()
    assert price == nanos(traded)


def test_several_splits_multiply_and_count_from_their_day() -> None:
    days = [day(2, 1.0), day(3, 1.0, split=2.0), day(4, 1.0), day(5, 1.0, split=0.1)]
    assert parsing.later_splits(days) == {
        D(2024, 1, 2): Fraction(1, 5),
        D(2024, 1, 3): Fraction(1, 10),
        D(2024, 1, 4): Fraction(1, 10),
        D(2024, 1, 5): Fraction(1),
    }


def test_a_double_that_is_no_single_keeps_its_shortest_decimal() -> None:
    (price,) = parsing.fetched([day(2, 45.07)], D(2024, 1, 2), CALENDAR).bars.close.tolist()
    assert price == nanos("45.07")


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1e12", None])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match="no price"):
        values.price(text)


def test_prices_are_read_as_they_are_written() -> None:
    assert values.prices(["1.10", Decimal("1E-4"), 3]).tolist() == [
        1_100_000_000,
        100_000,
        3_000_000_000,
    ]


def test_fractions_of_shares_are_rounded() -> None:
    assert values.volumes(["10", "10.5", Decimal("10.4"), "1.2e3"]).tolist() == [10, 11, 10, 1200]


def test_times_need_a_zone() -> None:
    assert values.instant("2024-01-02T14:30:00Z") == 1_704_205_800_000_000_000
    assert values.instant("2024-01-02 09:30:00-05:00") == 1_704_205_800_000_000_000
    with pytest.raises(Trouble, match="without a zone"):
        values.instant("2024-01-02T14:30:00")
