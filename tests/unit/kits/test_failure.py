import pickle

import pytest

from tradingd.kits.failure import ExitCode, Failure


def full_failure() -> Failure:
    return Failure(
        "the bar is inverted.",
        code=ExitCode.INVALID_ROW,
        where="spy.csv row 7",
        expected="high >= low",
        found="high 1 < low 2",
        next_step="mend the row",
    )


def test_a_failure_is_one_line_that_says_what_where_expected_found_and_next():
    assert full_failure().line() == (
        "the bar is inverted | at: spy.csv row 7 | expected: high >= low"
        " | found: high 1 < low 2 | next: mend the row"
    )


def test_a_failure_stays_one_line_when_a_detail_has_line_breaks():
    failure = Failure("broken", code=ExitCode.CONFIG, found="a\nb")
    assert "\n" not in failure.line()


def test_a_failure_survives_the_way_through_another_process():
    copy = pickle.loads(pickle.dumps(full_failure()))
    assert (copy.line(), copy.code) == (full_failure().line(), ExitCode.INVALID_ROW)


def test_exit_codes_are_distinct_and_avoid_the_shell_range_for_signals():
    values = [code.value for code in ExitCode]
    assert len(set(values)) == len(values)
    by_signal = {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    assert all(code.value < 126 for code in set(ExitCode) - by_signal)


@pytest.mark.parametrize("code", [ExitCode.CONFIG, ExitCode.DOCTOR])
def test_a_failure_carries_the_exit_code_of_the_process(code):
    assert Failure("x", code=code).code is code
