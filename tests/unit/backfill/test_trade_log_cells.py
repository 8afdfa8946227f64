"""Symbols and days as people and their brokers write them."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.backfill.tradelog.cells import EPOCH, NotRead, day_of, symbol_of

DAY = dt.date(2025, 4, 3)
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d %Y",
    "%d-%b-%Y", "%d %B %Y", "%a, %b %d, %Y", "%A %m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %I:%M %p", "%Y%m%d;%H%M%S",
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    day=st.dates(dt.date(1971, 1, 1), dt.date(2069, 12, 31)),
    form=st.sampled_from(FORMS),
)
def test_a_day_is_read_back_from_every_usual_form(day: dt.date, form: str) -> None:
    assert day_of(day.strftime(form)) == day


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (DAY, DAY),
        (dt.datetime(2025, 4, 3, 9, 31), DAY),  # noqa: DTZ001 - as spreadsheets hold it
        (45_750, DAY),
        (45_750.396, DAY),
        ("45750", DAY),
        (" 4/3/2025 ", DAY),
        ("4/3/25", DAY),
        ("Apr 3rd, 2025", DAY),
        ("Sept. 9 2024", dt.date(2024, 9, 9)),
        ("2025-04-03T09:31:00.123-04:00", DAY),
        # After midnight in London it is still the day before in New York.
        ("2025-04-04T01:30:00Z", DAY),
        (dt.datetime(2025, 4, 4, 1, 30, tzinfo=dt.UTC), DAY),
    ],
    ids=str,
)
def test_a_cell_names_its_new_york_day(cell: object, day: dt.date) -> None:
    assert day_of(cell) == day


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (None, "no date"),
        ("  ", "no date"),
        ("13/04/2025", "day_first=true"),
        ("2025-02-30", "no day of the calendar"),
        ("4/3", "no date that can be read"),
        ("yesterday", "no date that can be read"),
        ("3 Foo 2025", "no date that can be read"),
        ("#N/A", "error of the spreadsheet"),
        (dt.time(9, 31), "without its date"),
        (True, "no date that can be read"),
        (12.5, "no date that can be read"),
        ("12345", "no date that can be read"),
    ],
    ids=str,
)
def test_what_is_no_day_is_refused_with_the_reason(cell: object, said: str) -> None:
    with pytest.raises(NotRead, match=said):
        day_of(cell)


def test_an_ambiguous_date_is_american_unless_told_otherwise() -> None:
    assert day_of("3/4/2025") == dt.date(2025, 3, 4)
    assert day_of("3/4/2025", day_first=True) == dt.date(2025, 4, 3)
    # Who writes dots writes the day first.
    assert day_of("3.4.2025") == dt.date(2025, 4, 3)
    with pytest.raises(NotRead, match="day_first=false"):
        day_of("4/13/2025", day_first=True)


def test_a_workbook_of_1904_counts_from_another_day() -> None:
    assert day_of(45_750 - 1_462, epoch=dt.datetime(1904, 1, 1)) == DAY  # noqa: DTZ001
    assert EPOCH.year == 1899


@pytest.mark.parametrize(
    ("cell", "symbol"),
    [
        ("AAPL", "AAPL"),
        (" aapl ", "AAPL"),
        ("$GME", "GME"),
        ("NASDAQ:TSLA", "TSLA"),
        ("BRK/B", "BRK.B"),
        ("BF-B", "BF-B"),
        (True, "TRUE"),
    ],
    ids=str,
)
def test_a_symbol_is_read_without_what_stands_around_it(cell: object, symbol: str) -> None:
    assert symbol_of(cell) == symbol


@pytest.mark.parametrize(
    "cell",
    [None, "", "#REF!", "AAPL 15SEP23 150 C", "AAPL230915C00150000", "../../etc", "12.5", 7, "Δ"],
    ids=str,
)
def test_what_is_no_stock_is_no_symbol(cell: object) -> None:
    with pytest.raises(NotRead):
        symbol_of(cell)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_no_cell_whatsoever_breaks_the_reader(cell: object) -> None:
    for read in (symbol_of, day_of):
        with contextlib.suppress(NotRead):
            assert read(cell)
