"""One worked order: every step at its edge."""

import pytest

from tradingd.config.execution import LimitStyle
from tradingd.execution.schedule import begins, slices, targets
from tradingd.execution.work import Cancel, End, Over, Place, Task, Work

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
OPEN = 1_000 * MINUTE
CLOSE = OPEN + 390 * MINUTE


def worked(
    quantity=100, *, entry=True, started=OPEN + MINUTE, opens=OPEN, until=CLOSE, **style
) -> Work:
    task = Task(quantity=quantity, entry=entry, started=started, opens=opens, until=until)
    return Work(task, LimitStyle(**style))


def begun(*args, **options) -> tuple[Work, int]:
    work = worked(*args, **options)
    start = max(work.task.started, work.task.opens)
    assert isinstance(work.begin(work.task.started), Place)
    return work, start


def test_a_price_is_given_its_time_to_the_nanosecond() -> None:
    work, start = begun(timeout_seconds=60)
    assert work.deadline == start + MINUTE
    assert work.on_time(start + MINUTE - 1) is None
    assert work.on_time(start + MINUTE) == Cancel()
    assert work.on_time(start + 9 * MINUTE) is None, "nothing goes out before the cancel is proven"
    assert work.on_over(Over.CANCELED, start + MINUTE + 7) == Place(100, True, 2, 4)
    assert work.deadline == start + 2 * MINUTE, "the wait for the proof shifts nothing"


def test_a_cancel_that_takes_longer_than_a_price_has_gives_the_next_price_its_full_time() -> None:
    work, start = begun(timeout_seconds=60)
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, start + 2 * MINUTE) == Place(100, True, 2, 4)
    assert work.deadline == start + 3 * MINUTE


def test_an_entry_is_given_up_after_its_last_price_and_tells_what_is_left() -> None:
    work, now = begun(reprices=1)
    work.on_fill(30)
    for last in (False, True):
        now += MINUTE
        assert work.on_time(now) == Cancel()
        found = work.on_over(Over.CANCELED, now)
        if not last:
            assert found == Place(70, True, 2, 2)
    assert found == End(30, 70, "given up: not filled at 2 prices")
    assert work.over
    assert work.deadline is None


def test_without_reprices_there_is_one_price() -> None:
    work, start = begun(reprices=0)
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, start + MINUTE) == End(
        0, 100, "given up: not filled at 1 prices"
    )


@pytest.mark.parametrize(
    ("filled", "expected"),
    [
        pytest.param(79, Place(21, True, 2, 4), id="below: goes on"),
        pytest.param(80, End(80, 20, "enough is filled"), id="exactly"),
        pytest.param(81, End(81, 19, "enough is filled"), id="above"),
    ],
)
def test_an_entry_that_has_enough_lets_its_rest_go(filled: int, expected: object) -> None:
    work, start = begun(accept_percent=80)
    work.on_fill(filled)
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, start + MINUTE) == expected


def test_enough_is_counted_in_exact_shares() -> None:
    work, start = begun(3, accept_percent=66.7)
    work.on_fill(2)
    work.on_time(start + MINUTE)
    assert isinstance(work.on_over(Over.CANCELED, start + MINUTE), Place)


def test_an_exit_never_has_enough_and_ends_at_the_market() -> None:
    work, now = begun(entry=False, reprices=1, accept_percent=10)
    work.on_fill(95)
    for expected in (Place(5, True, 2, 2), Place(5, False, 3, 2)):
        now += MINUTE
        assert work.on_time(now) == Cancel()
        assert work.on_over(Over.CANCELED, now) == expected
    assert work.at_market
    assert work.deadline is None, "a market order is waited for"
    work.on_fill(5)
    assert work.on_over(Over.FILLED, now + 1) == End(100, 0, "filled")


def test_an_exit_that_the_market_refuses_ends_with_the_reason() -> None:
    work, now = begun(entry=False, reprices=0)
    work.on_time(now + MINUTE)
    assert work.on_over(Over.CANCELED, now + MINUTE) == Place(100, False, 2, 1)
    assert work.denied("halted") == End(0, 100, "denied: halted")


@pytest.mark.parametrize("how", [Over.REFUSED, Over.EXPIRED])
def test_a_limit_that_may_not_rest_ends_an_entry_and_sends_an_exit_to_the_market(how: Over) -> None:
    entry, start = begun()
    assert entry.on_over(how, start + 1, "why") == End(
        0, 100, f"given up: {how.value.lower()}: why"
    )
    leave, start = begun(entry=False)
    assert leave.on_over(how, start + 1) == Place(100, False, 2, 4)


def test_a_denied_child_ends_an_entry_with_the_reason_and_sends_an_exit_to_the_market() -> None:
    entry = worked()
    entry.begin(entry.task.started)
    assert entry.denied("no_trade_close_minutes") == End(
        0, 100, "given up: denied: no_trade_close_minutes"
    )
    leave = worked(entry=False)
    leave.begin(leave.task.started)
    assert leave.denied("collar") == Place(100, False, 2, 4)


@pytest.mark.parametrize("entry", [True, False])
def test_what_others_take_back_is_not_sent_again(entry: bool) -> None:
    work, start = begun(entry=entry)
    work.on_fill(10)
    assert work.on_over(Over.CANCELED, start + 1, "operator") == End(
        10, 90, "taken back by others: operator"
    )


def test_a_fill_while_the_cancel_travels_counts() -> None:
    work, start = begun()
    work.on_time(start + MINUTE)
    assert work.on_fill(60) is None
    assert work.on_over(Over.CANCELED, start + MINUTE) == Place(40, True, 2, 4)
    work.on_time(start + 2 * MINUTE)
    work.on_fill(40)
    assert work.on_over(Over.FILLED, start + 2 * MINUTE) == End(100, 0, "filled")


def test_a_fill_that_comes_after_the_end_of_its_child_takes_the_next_one_back() -> None:
    work, start = begun()
    work.on_time(start + MINUTE)
    work.on_over(Over.CANCELED, start + MINUTE)
    assert work.on_fill(30, current=False) == Cancel()
    assert work.on_over(Over.CANCELED, start + MINUTE + 5) == Place(70, True, 3, 4)


def test_nothing_new_goes_out_when_the_session_is_over() -> None:
    work, _ = begun(started=CLOSE - 30 * SECOND, timeout_seconds=60)
    assert work.deadline == CLOSE
    assert work.on_time(CLOSE - 1) is None
    assert work.on_time(CLOSE) == Cancel()
    assert work.on_over(Over.CANCELED, CLOSE) == End(0, 100, "given up: its time is over")


def test_a_proof_that_comes_after_the_session_leads_to_no_new_price() -> None:
    work, start = begun()
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, CLOSE) == End(0, 100, "given up: its time is over")


def test_an_exit_that_is_late_goes_to_the_market_at_once() -> None:
    work = worked(entry=False, started=CLOSE - 59 * SECOND, until=CLOSE - MINUTE)
    assert work.begin(work.task.started) == Place(100, False, 1, 4)


def test_before_the_open_no_time_passes() -> None:
    work, _ = begun(started=OPEN - 900 * MINUTE)
    assert work.deadline == OPEN + MINUTE


def test_what_has_not_left_yet_begins_anew() -> None:
    work, start = begun()
    work.not_yet(start + MINUTE)
    assert work.on_time(start + MINUTE) is None
    assert work.deadline == start + 2 * MINUTE


def test_letting_go_waits_for_what_is_out() -> None:
    work, start = begun()
    assert work.let_go("enough of it") == Cancel()
    assert work.let_go("twice") is None
    work.on_fill(7)
    assert work.on_over(Over.CANCELED, start + 1) == End(7, 93, "enough of it")


def test_parts_are_even_whole_shares_and_the_last_takes_the_rest() -> None:
    assert slices(10, 3) == [4, 3, 3]
    assert slices(2, 5) == [1, 1]
    assert targets(10, 3) == [4, 7, 10]
    assert begins(5, 3, 60) == [5, 65, 125]
    for bad in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="cannot cut"):
            slices(*bad)


def test_parts_begin_on_time_and_carry_over_what_the_one_before_did_not_get() -> None:
    work, start = begun(
        10, slices=3, slice_seconds=300, timeout_seconds=60, reprices=0, accept_percent=100
    )
    assert work.deadline == start + MINUTE
    work.on_fill(1)
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, start + MINUTE) is None, "its one price is used up"
    assert work.deadline == start + 5 * MINUTE
    assert work.on_time(start + 5 * MINUTE - 1) is None
    assert work.on_time(start + 5 * MINUTE) == Place(6, True, 1, 1, 2, 3)
    work.on_fill(6)
    assert work.on_over(Over.FILLED, start + 5 * MINUTE + 1) is None
    assert work.on_time(start + 10 * MINUTE) == Place(3, True, 1, 1, 3, 3)
    work.on_time(start + 11 * MINUTE)
    assert work.on_over(Over.CANCELED, start + 11 * MINUTE) == End(
        7, 3, "given up: not filled at 1 prices"
    )


def test_a_part_ends_the_price_of_the_part_before() -> None:
    work, start = begun(10, slices=2, slice_seconds=30, timeout_seconds=60)
    assert work.on_time(start + 30 * SECOND) == Cancel()
    assert work.on_over(Over.CANCELED, start + 30 * SECOND) == Place(10, True, 1, 4, 2, 2)


def test_enough_is_not_judged_before_the_last_part() -> None:
    work, start = begun(10, slices=2, slice_seconds=600, reprices=0, accept_percent=50)
    work.on_fill(5)
    assert work.on_over(Over.FILLED, start + 1) is None
    assert work.on_time(start + 10 * MINUTE) == Place(5, True, 1, 1, 2, 2)
    work.on_time(start + 11 * MINUTE)
    assert work.on_over(Over.CANCELED, start + 11 * MINUTE) == End(5, 5, "enough is filled")


def test_a_split_restates_what_is_left() -> None:
    work, start = begun(100)
    work.on_fill(40)
    work.split(2, 1)
    assert (work.filled, work.remainder, work.out) == (80, 120, 120)
    work.on_time(start + MINUTE)
    assert work.on_over(Over.CANCELED, start + MINUTE) == Place(120, True, 2, 4)
