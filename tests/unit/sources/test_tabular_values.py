from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.session.calendar import SessionCalendar
from tradingd.sources.tabular import values

CALENDAR = SessionCalendar()


@given(st.decimals(min_value=0, max_value=999_999_999, places=9, allow_nan=False))
def test_a_double_becomes_its_shortest_decimal(price: Decimal) -> None:
    double = float(price)
    expected = int(Decimal(repr(double)).quantize(Decimal("1e-9")).scaleb(9))
    assert values.nanos_of_doubles(np.array([double])).tolist() == [expected]


def test_prices_read_the_same_from_doubles_and_decimals() -> None:
    cells = [Decimal("45.07"), None, Decimal("0.0001")]
    decimals = pa.chunked_array([pa.array(cells, pa.decimal128(12, 4))])
    doubles = pa.chunked_array([pa.array([45.07, float("nan"), 0.0001])])
    for column in (decimals, doubles):
        nanos, missing = values.prices(column)
        assert nanos.tolist() == [45_070_000_000, 0, 100_000]
        assert missing.tolist() == [False, True, False]


def test_a_fraction_of_a_share_is_marked() -> None:
    whole, missing, fractional = values.counts(pa.chunked_array([[100.0, 0.5, None]]))
    assert whole.tolist()[0] == 100
    assert missing.tolist() == [False, False, True]
    assert fractional.tolist() == [False, True, False]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.array(["2014-07-03", "2014-07-07"]), id="text"),
        pytest.param(pa.array(["2014-07-03", "2014-07-07"]).cast(pa.date32()), id="dates"),
        pytest.param(
            pa.array(["2014-07-03", "2014-07-07"]).cast(pa.timestamp("us")), id="midnights"
        ),
    ],
)
def test_a_daily_date_becomes_the_close_of_its_session(column: pa.Array) -> None:
    ts, missing = values.times(pa.chunked_array([column]), daily=True, calendar=CALENDAR)
    # Independence Day eve 2014 closed at 13:00 New York (17:00 UTC), the Monday at 16:00.
    assert ts.astype("datetime64[ns]").astype(str).tolist() == [
        "2014-07-03T17:00:00.000000000",
        "2014-07-07T20:00:00.000000000",
    ]
    assert not missing.any()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2014-06-05T09:31:00-04:00", "2014-06-05T13:31:00.000000000"),
        ("2014-06-05T13:31:00.5Z", "2014-06-05T13:31:00.500000000"),
    ],
)
def test_times_with_an_offset_become_utc(text: str, utc: str) -> None:
    ts, _ = values.times(pa.chunked_array([[text]]), daily=False, calendar=CALENDAR)
    assert str(ts.astype("datetime64[ns]")[0]) == utc


def test_a_text_time_without_offset_is_refused_at_its_row() -> None:
    column = pa.chunked_array([["2014-06-05T13:31:00Z", "2014-06-05 13:32:00"]])
    with pytest.raises(values.Unreadable) as caught:
        values.times(column, daily=False, calendar=CALENDAR)
    assert caught.value.row == 1
