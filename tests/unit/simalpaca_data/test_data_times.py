"""Times and bar lengths of the test server's market data."""

import datetime as dt

import pytest

from tradingd.simalpaca.marketdata import timeframe, times


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T14:31:00Z", ns("2024-01-02T14:31:00+00:00")),
        ("2024-01-02T14:31:00.000000001Z", ns("2024-01-02T14:31:00+00:00") + 1),
        ("2024-01-02t14:31:00.5-05:00", ns("2024-01-02T19:31:00+00:00") + 500_000_000),
        ("2024-01-02T14:31:00 01:00", ns("2024-01-02T13:31:00+00:00")),
        ("2024-01-02", ns("2024-01-02T05:00:00+00:00")),
        ("2024-07-02", ns("2024-07-02T04:00:00+00:00")),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, expected: int) -> None:
    assert times.parse(text) == expected


@pytest.mark.parametrize("text", ["", "now", "2024-13-01", "2024-01-02T14:31Z", "2024-02-30", "5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  several parsers word it
        times.parse(text)


@pytest.mark.parametrize("ts", [0, 1, -1, 1_704_205_860_000_000_000, 1_704_205_860_120_000_000])
def test_a_written_time_is_read_back(ts: int) -> None:
    assert times.parse(times.text(ts)) == ts


def test_written_times_have_no_needless_decimals() -> None:
    assert times.text(1_704_205_860_000_000_000) == "2024-01-02T14:31:00Z"
    assert times.text(1_704_205_860_120_000_000) == "2024-01-02T14:31:00.12Z"


@pytest.mark.parametrize(
    ("frame", "inside", "start"),
    [
        ("1Min", "2024-01-02T14:31:59", "2024-01-02T14:31:00"),
        ("15T", "2024-01-02T14:44:00", "2024-01-02T14:30:00"),
        ("7Min", "2024-01-02T14:31:00", "2024-01-02T14:27:00"),
        ("1Hour", "2024-01-02T14:31:00", "2024-01-02T14:00:00"),
        ("4H", "2024-01-02T14:31:00", "2024-01-02T13:00:00"),
        ("1Day", "2024-01-03T02:00:00", "2024-01-02T05:00:00"),
        ("1Day", "2024-07-02T12:00:00", "2024-07-02T04:00:00"),
        ("1Week", "2024-01-05T15:00:00", "2024-01-01T05:00:00"),
        ("1Month", "2024-03-31T15:00:00", "2024-03-01T05:00:00"),
        ("3M", "2024-06-30T15:00:00", "2024-04-01T04:00:00"),
        ("12Month", "2024-06-30T15:00:00", "2024-01-01T05:00:00"),
    ],
)
def test_bars_begin_where_new_york_counts_from(frame: str, inside: str, start: str) -> None:
    assert timeframe.parse(frame).start(ns(f"{inside}+00:00")) == ns(f"{start}+00:00")


@pytest.mark.parametrize(
    "text",
    ["", "Min", "0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "1min", "1Year", "١Min"],
)
def test_lengths_that_alpaca_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid timeframe"):
        timeframe.parse(text)


def test_a_bar_is_never_longer_than_its_length_says() -> None:
    """Clocks went back on 2024-11-03: that day has 25 hours."""
    day = timeframe.parse("1Day")
    start = day.start(ns("2024-11-03T12:00:00+00:00"))
    following = day.start(ns("2024-11-04T12:00:00+00:00"))
    assert following - start == 25 * times.HOUR == day.longest
