"""Plateaus and needles."""

import numpy as np
import pytest

from tradingd.luck.stability import stability

GRID = [{"depth": depth, "rate": rate} for depth in range(1, 8) for rate in (0.01, 0.1, 1.0)]


def test_the_top_of_a_hill_is_stable() -> None:
    trials = [{"depth": depth} for depth in range(1, 30)]
    scores = [1 - 0.01 * (trial["depth"] - 15) ** 2 for trial in trials]
    found = stability(trials, scores)
    assert found is not None
    assert found.share > 0.9


def test_a_lonely_peak_is_not() -> None:
    scores = [0.0] * len(GRID)
    scores[10] = 1.0
    found = stability(GRID, scores)
    assert found is not None
    assert found.best == 10
    assert found.share == 0
    assert found.spread == pytest.approx(np.std([1, 0, 0, 0, 0], ddof=1))


def test_neighbours_are_the_trials_beside_the_best() -> None:
    scores = [0.0] * len(GRID)
    scores[10] = 1.0  # depth 4, rate 0.1
    found = stability(GRID, scores, neighbours=2)
    assert found is not None
    assert {GRID[place]["depth"] for place in found.neighbours} == {3, 5}
    assert {GRID[place]["rate"] for place in found.neighbours} == {0.1}


def test_words_are_equal_or_different() -> None:
    trials = [{"kind": kind, "size": size} for kind in ("a", "b") for size in (1, 2, 3)]
    found = stability(trials, [0.0, 1.0, 0.0, 5.0, 9.0, 5.0], neighbours=2)
    assert found is not None
    assert {trials[place]["kind"] for place in found.neighbours} == {"b"}


def test_trials_without_a_score_are_left_out() -> None:
    scores = [float(number) for number in range(len(GRID))]
    scores[-1] = np.nan
    found = stability(GRID, scores)
    assert found is not None
    assert found.best == len(GRID) - 2


def test_too_few_or_equal_scores_say_nothing() -> None:
    assert stability(GRID[:3], [1.0, 2.0, 3.0]) is None
    assert stability(GRID, [1.0] * len(GRID)) is None
