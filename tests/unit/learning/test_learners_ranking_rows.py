"""What rankings learn from: groups of one moment and small whole grades."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from tradingd.learning.learners.rows import centred_ranks, grades, group_sizes


def test_rows_of_one_moment_are_one_group() -> None:
    assert group_sizes(np.array([3, 3, 5, 9, 9, 9])).tolist() == [2, 1, 3]
    assert group_sizes(np.array([], dtype=np.int64)).tolist() == []


def test_grades_are_tenths_of_their_own_moment() -> None:
    y = np.concatenate([np.arange(20.0), 1_000 - np.arange(10.0)])

    answer = grades(y, np.array([20, 10]))

    assert answer[:20].tolist() == [grade for grade in range(10) for _ in range(2)]
    assert answer[20:].tolist() == list(range(9, -1, -1))


def test_rows_of_equal_label_share_the_grade_of_their_middle() -> None:
    assert grades(np.zeros(7), np.array([7])).tolist() == [5] * 7


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), min_size=1, max_size=30))
def test_centred_ranks_are_average_ranks_of_each_moment(pairs: list[tuple[int, int]]) -> None:
    ts = np.array([moment for moment, _ in pairs])
    values = np.array([value for _, value in pairs], dtype=float)

    answer = centred_ranks(ts, values)

    for moment in set(ts.tolist()):
        mine = ts == moment
        count = int(mine.sum())
        expected = (rankdata(values[mine]) - 1) / max(count - 1, 1) - (0.5 if count > 1 else 0)
        np.testing.assert_allclose(answer[mine], expected, atol=1e-12)
