"""New York windows as UTC, whatever the clocks do."""

import datetime as dt

import pytest

from tradingd.backfill.windows import check_window, utc_ns, window_on
from tradingd.config.backfill import BackfillConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")


def window(day: str, **keys: object) -> tuple[str, str] | None:
    """Return the window of a day as UTC times."""
    session = CALENDAR.on(dt.date.fromisoformat(day))
    assert session is not None
    found = window_on(session, BackfillConfig(**keys))
    return (utc(found.start_ns), utc(found.end_ns)) if found else None


def utc(ts: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts // 10**9, tz=dt.UTC):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2025-01-15", "14:00", "16:00"),
        ("2025-07-15", "13:00", "15:00"),
        # The Friday before and the Monday after either change of the clocks.
        ("2025-03-07", "14:00", "16:00"),
        ("2025-03-10", "13:00", "15:00"),
        ("2025-10-31", "13:00", "15:00"),
        ("2025-11-03", "14:00", "16:00"),
    ],
)
def test_nine_to_eleven_in_new_york_moves_with_daylight_saving(
    day: str, start: str, end: str
) -> None:
    assert window(day) == (f"{day[5:]} {start}", f"{day[5:]} {end}")


def test_on_the_days_of_change_themselves_the_morning_has_its_new_offset() -> None:
    assert utc(utc_ns(dt.date(2025, 3, 9), dt.time(9))) == "03-09 13:00"
    assert utc(utc_ns(dt.date(2025, 3, 9), dt.time(1))) == "03-09 06:00"
    assert utc(utc_ns(dt.date(2025, 11, 2), dt.time(9))) == "11-02 14:00"
    assert utc(utc_ns(dt.date(2025, 11, 2), dt.time(0, 30))) == "11-02 04:30"


def test_fractions_of_a_second_are_kept() -> None:
    assert utc_ns(dt.date(2025, 1, 15), dt.time(9, 30, 0, 250_000)) % 10**9 == 250_000_000


def test_the_window_is_clamped_to_the_trading_window() -> None:
    keys = {"window_start": dt.time(2), "window_end": dt.time(23)}
    assert window("2025-01-15", **keys) == ("01-15 09:00", "01-16 01:00")
    assert window("2025-01-15", **keys, enforce_trading_window=False) == (
        "01-15 07:00",
        "01-16 04:00",
    )


@pytest.mark.parametrize(
    ("trading_end", "clamped"),
    [("20:00", "22:00"), ("16:00", "18:00"), ("17:30", "19:30"), ("12:00", "17:00")],
)
def test_a_half_day_ends_the_trading_window_as_much_earlier_as_the_session(
    trading_end: str, clamped: str
) -> None:
    # 2024-11-29 closed at 13:00 in New York, 18:00 UTC.
    found = window(
        "2024-11-29",
        window_start=dt.time(4),
        window_end=dt.time(20),
        trading_end=dt.time.fromisoformat(trading_end),
    )
    assert found == ("11-29 09:00", f"11-29 {clamped}")


def test_a_half_day_may_leave_nothing_of_the_window() -> None:
    assert window("2024-11-29", window_start=dt.time(18), window_end=dt.time(19)) is None
    assert window("2024-11-29") == ("11-29 14:00", "11-29 16:00")


def test_a_window_that_never_lies_in_the_trading_window_is_a_mistake() -> None:
    with pytest.raises(Failure) as refused:
        check_window(BackfillConfig(window_start=dt.time(1), window_end=dt.time(3)))
    assert refused.value.code is ExitCode.CONFIG
    check_window(BackfillConfig())
    check_window(
        BackfillConfig(window_start=dt.time(1), window_end=dt.time(3), enforce_trading_window=False)
    )
