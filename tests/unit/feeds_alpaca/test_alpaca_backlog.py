"""How often a feed says that its batches wait."""

from tradingd.feeds.alpaca.backlog import Backlog


def lines(waiting: list[tuple[float, int]]) -> list[int]:
    """Return the numbers that are told of (second, batches that wait)."""
    backlog = Backlog(begins=10, pause=10.0)
    return [count for second, count in waiting if backlog.due(count, second)]


def test_it_is_told_when_it_begins_then_at_doublings() -> None:
    assert lines([(60.0 * count, count) for count in range(1, 200)]) == [10, 20, 40, 80, 160]


def test_a_flood_makes_one_line_in_ten_seconds() -> None:
    told = lines([(count / 1_000, count) for count in range(1, 30_001)])
    assert told == [10, 10_010, 20_020]


def test_what_was_caught_up_with_and_begins_again_is_told_again() -> None:
    assert lines([(0.0, 10), (20.0, 19), (21.0, 4), (40.0, 10)]) == [10, 10]


def test_a_number_that_stays_is_told_once() -> None:
    assert lines([(20.0 * turn, 9 + turn % 3) for turn in range(50)]) == [10]
