"""A lean begins at one imbalance and ends at another."""

from tradingd.strategies.book_imbalance.signal import Lean


def follow(values, enter=0.6, leave=0.1):
    lean = Lean(enter, leave)
    return [lean.update(value) for value in values], lean.number


def test_it_begins_at_enter_and_lasts_until_leave():
    assert follow([0.59, 0.6, 0.3, 0.11, 0.1, 0.3, 0.6]) == ([0, 1, 1, 1, 0, 0, 1], 2)


def test_it_turns_to_the_other_side_at_once_where_that_is_strong():
    assert follow([0.7, -0.7, -0.2, -0.05, 0.0]) == ([1, -1, -1, 0, 0], 2)


def test_a_value_that_trembles_about_enter_is_one_lean():
    assert follow([0.61, 0.59] * 20)[1] == 1


def test_sides_are_mirrors():
    values = [0.2, 0.9, 0.4, -0.1, -0.8, -0.3, 0.0, 0.65]
    sides, number = follow(values)
    assert follow([-value for value in values]) == ([-side for side in sides], number)
