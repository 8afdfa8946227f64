"""The long/short book that trials are compared by."""

import msgspec
import numpy as np
import pytest

from tests.unit.learning.made_rows import DAY, made_rows
from tradingd.learning.dataset import Dataset
from tradingd.learning.portfolio import horizon_sessions, long_short, session_sharpe


def book(moments: list[int], gains: list[float]) -> Dataset:
    rows = made_rows(sessions=1, symbols=len(gains), gaps=0.0)
    ts = np.array(moments) * DAY
    _, session = np.unique(ts // DAY, return_inverse=True)
    return msgspec.structs.replace(
        rows, ts=ts, end=ts + 1, session=session, gain=np.array(gains), y=np.array(gains)
    )


def test_a_wide_moment_is_held_by_rank_with_a_gross_position_of_one() -> None:
    rows = book([1] * 5, [0.05, 0.01, -0.02, 0.03, 0.04])
    score = np.array([9.0, 1.0, 2.0, 3.0, 4.0])

    # Ranks -0.5, -0.25, 0, 0.25, 0.5 of a gross 1.5.
    expected = (0.5 * 0.05 + 0.25 * 0.04 - 0.5 * 0.01 - 0.25 * -0.02) / 1.5
    assert long_short(rows, score, 0.0).tolist() == pytest.approx([expected])


def test_a_narrow_moment_is_long_above_neutral_and_short_below() -> None:
    rows = book([1, 1, 2], [0.05, 0.01, -0.02])

    assert long_short(rows, np.array([0.6, 0.4, 0.4]), 0.5).tolist() == pytest.approx([0.02, 0.02])


def test_equal_scores_hold_nothing_whatever_the_order_of_symbols() -> None:
    rows = book([1] * 6, [0.06, 0.05, 0.04, 0.03, 0.02, 0.01])

    assert long_short(rows, np.full(6, 0.5), 0.5).tolist() == [0.0]


def test_moments_of_a_session_count_alike() -> None:
    rows = book([1, 1, 1], [0.03, 0.01, 0.02])
    two = msgspec.structs.replace(rows, ts=rows.ts + np.array([0, 0, 5]))

    assert long_short(two, np.ones(3), 0.0).tolist() == pytest.approx([(0.02 + 0.02) / 2])


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_label_looks_ahead_as_many_sessions_as_it_was_made_with(horizon: int) -> None:
    assert horizon_sessions(made_rows(sessions=30, horizon=horizon)) == horizon


def test_a_label_that_ends_within_its_session_looks_one_ahead() -> None:
    rows = made_rows(sessions=30)

    assert horizon_sessions(msgspec.structs.replace(rows, end=rows.ts + 1)) == 1


def test_the_sharpe_of_overlapping_labels_is_that_of_single_sessions() -> None:
    dice = np.random.default_rng(5)
    single = dice.normal(0.05, 1.0, 40_000)
    overlapping = np.convolve(single, np.ones(5), "valid") / 5

    assert session_sharpe(overlapping, 5) == pytest.approx(session_sharpe(single, 1), abs=0.005)


def test_a_book_that_never_holds_anything_has_no_sharpe() -> None:
    assert session_sharpe(np.zeros(10), 1) is None
    assert session_sharpe(np.full(10, 0.01), 1) is None
    assert session_sharpe(np.array([0.1]), 1) is None
