import threading
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.feeds.databento.border import Border
from tradingd.feeds.databento.words import Lost


def border(room: int, wake: Callable[[], None] = lambda: None) -> Border:
    return Border(room, wake, Lost)


def test_what_fits_passes_in_order_and_wakes_once() -> None:
    wakes: list[int] = []
    queue = border(10, lambda: wakes.append(1))
    for number in range(5):
        queue.record("A", number)
    assert wakes == [1]
    assert queue.take(3) == [("A", 0), ("A", 1), ("A", 2)]
    assert queue.take(10) == [("A", 3), ("A", 4)]
    assert queue.take(10) == []
    queue.record("A", 5)
    assert wakes == [1, 1]


def test_a_run_of_drops_is_told_once_a_symbol_where_it_happened() -> None:
    queue = border(6)
    for number in range(7):
        queue.record("A", number)
    queue.record("B", 7)
    queue.record("A", 8)
    assert queue.take(3) == [("A", 0), ("A", 1), ("A", 2)]
    queue.record("A", 9)
    assert queue.take(3) == [("A", 3), ("A", 4), ("A", 5)]
    assert queue.take(9) == [("", Lost("A", 2)), ("", Lost("B", 1)), ("A", 9)]
    assert queue.dropped == 3


def test_after_an_overflow_it_takes_records_again_when_half_is_free() -> None:
    queue = border(4)
    for number in range(5):
        queue.record("A", number)
    queue.take(1)
    queue.record("A", 5)
    assert queue.dropped == 2
    queue.take(1)
    queue.record("A", 6)
    assert queue.dropped == 2


def test_drops_at_the_very_end_are_told_when_nothing_follows() -> None:
    queue = border(2)
    for number in range(3):
        queue.record("A", number)
    assert queue.take(2) == [("A", 0), ("A", 1)]
    assert queue.take(2) == [("", Lost("A", 1))]


def test_a_word_finds_room_in_a_full_queue_behind_the_drops_before_it() -> None:
    queue = border(1)
    queue.record("A", 0)
    queue.record("A", 1)
    queue.word("end")
    assert queue.take(5) == [("A", 0), ("", Lost("A", 1)), ("", "end")]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    room=st.integers(1, 12),
    steps=st.lists(st.one_of(st.sampled_from("AB"), st.integers(1, 8)), max_size=120),
)
def test_told_and_lost_add_up_to_what_came(room: int, steps: list[str | int]) -> None:
    queue = border(room)
    came = {"A": 0, "B": 0}
    got = {"A": 0, "B": 0}
    lost = {"A": 0, "B": 0}

    def take(most: int) -> bool:
        items = queue.take(most)
        for symbol, item in items:
            if symbol:
                # What was lost before it has been told before it.
                assert item == got[symbol] + lost[symbol]
                got[symbol] += 1
            else:
                lost[item.symbol] += item.count
        return bool(items)

    for step in steps:
        if isinstance(step, str):
            queue.record(step, came[step])
            came[step] += 1
        else:
            take(step)
        assert len(queue) <= room + 2
    while take(5):
        pass
    assert {symbol: got[symbol] + lost[symbol] for symbol in came} == came
    assert queue.dropped == sum(lost.values())


def test_nothing_is_lost_or_left_between_two_threads() -> None:
    count = 50_000
    woken = threading.Event()
    queue = border(500, woken.set)
    got = lost = 0

    def write() -> None:
        for number in range(count):
            queue.record("A", number)

    writer = threading.Thread(target=write)
    writer.start()
    while got + lost < count:
        # A wake-up that is missed ends the test here.
        assert woken.wait(5)
        woken.clear()
        while items := queue.take(64):
            for symbol, item in items:
                if symbol:
                    assert item == got + lost
                    got += 1
                else:
                    lost += item.count
    writer.join()
    assert (got + lost, queue.dropped) == (count, lost)
