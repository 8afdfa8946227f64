import pytest

from tradingd.journal.days import span
from tradingd.kits.failure import ExitCode, Failure

HOUR = 3_600 * 1_000_000_000
MIDNIGHT = 1_704_171_600_000_000_000
"""2024-01-02 00:00 in New York is 05:00 UTC."""


def test_a_day_is_a_new_york_day() -> None:
    assert span("2024-01-02", None, None) == (MIDNIGHT, MIDNIGHT + 24 * HOUR)


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2024-11-03", 25)])
def test_days_on_which_clocks_change_have_their_own_length(day: str, hours: int) -> None:
    first, last = span(day, None, None)
    assert first is not None
    assert last is not None
    assert last - first == hours * HOUR


def test_first_and_last_day_are_both_included_and_may_be_open() -> None:
    assert span(None, "2024-01-02", "2024-01-03") == (MIDNIGHT, MIDNIGHT + 48 * HOUR)
    assert span(None, "2024-01-02", None) == (MIDNIGHT, None)
    assert span(None, None, "2024-01-01") == (None, MIDNIGHT)
    assert span(None, None, None) == (None, None)


@pytest.mark.parametrize(
    "days",
    [
        ("2024-02-30", None, None),
        ("today", None, None),
        ("2024-01-02", "2024-01-02", None),
        (None, "2024-01-03", "2024-01-02"),
    ],
)
def test_days_that_make_no_sense_are_refused(
    days: tuple[str | None, str | None, str | None],
) -> None:
    with pytest.raises(Failure) as raised:
        span(*days)
    assert raised.value.code is ExitCode.USAGE
