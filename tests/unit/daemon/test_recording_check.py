"""The health check of recorded order books: never critical, and honest about loss."""

import pytest

from tradingd.daemon.checks.recording import RecordingCheck
from tradingd.domain.health import Grade


def _grade(state: str, why: str = "") -> Grade:
    return RecordingCheck(lambda: (state, why), lambda: 0).look().grade


@pytest.mark.parametrize("state", ["off", "recording", "over", "starting"])
def test_what_goes_as_it_should_is_ok(state: str) -> None:
    assert _grade(state) is Grade.OK


@pytest.mark.parametrize("state", ["failed", "starting"])
def test_a_failure_degrades_until_it_records_again(state: str) -> None:
    assert _grade(state, "no connection") is Grade.DEGRADED


def test_new_losses_degrade_for_one_look() -> None:
    lost = 0
    check = RecordingCheck(lambda: ("recording", ""), lambda: lost)
    assert check.look().grade is Grade.OK
    lost = 7
    found = check.look()
    assert (found.grade, "7 records" in found.value) == (Grade.DEGRADED, True)
    assert check.look().grade is Grade.OK


def test_books_neither_stop_the_beat_nor_entries() -> None:
    assert (RecordingCheck.beats, RecordingCheck.critical) == (False, False)
