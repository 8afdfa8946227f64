"""Choosing in sample, ranking out of sample."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tradingd.kits.failure import Failure
from tradingd.luck.pbo import pbo


def noise(trials: int = 30, sessions: int = 320, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((sessions, trials)) / 100


@pytest.mark.real_data
def test_the_reference_vectors_are_reproduced(real_data: Path) -> None:
    folder = real_data / "oracles" / "pbo"
    returns = np.loadtxt(folder / "A_unit852_M.csv", delimiter=",")
    lines = (folder / "A_unit852_cscv.csv").read_text().splitlines()[1:]
    logits, inside, outside, chosen, ranks = np.array(
        [[float(word) for word in line.split(",")[:5]] for line in lines]
    ).T
    # Its Sharpe ratios are above a risk-free rate of 3 % a year of 252 days.
    found = pbo(returns - 0.03 / 252, 4, convention="inclusive")
    assert found.ways == 6
    np.testing.assert_array_equal(found.chosen + 1, chosen)
    np.testing.assert_array_equal(found.ranks, ranks)
    np.testing.assert_allclose(found.inside, inside, rtol=1e-12)
    np.testing.assert_allclose(found.outside, outside, rtol=1e-12)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-12)
    assert found.probability == 0.5


def test_the_paper_ranks_over_one_more_than_the_trials() -> None:
    returns = noise()
    paper, inclusive = pbo(returns, 6), pbo(returns, 6, convention="inclusive")
    np.testing.assert_array_equal(paper.ranks, inclusive.ranks)
    relative = paper.ranks / 31
    np.testing.assert_allclose(paper.logits, np.log(relative / (1 - relative)))
    assert np.isfinite(paper.logits).all()


def test_every_way_equals_the_plain_computation() -> None:
    returns = noise(trials=7, sessions=85)
    found = pbo(returns, 8)
    parts = np.split(returns[5:], 8)
    for way, picked in enumerate(combinations(range(8), 4)):
        inside = np.vstack([parts[block] for block in picked])
        outside = np.vstack([parts[block] for block in range(8) if block not in picked])
        ratios = inside.mean(0) / inside.std(0, ddof=1)
        assert found.chosen[way] == ratios.argmax()
        assert found.inside[way] == pytest.approx(ratios.max(), rel=1e-9)
        theirs = outside.mean(0) / outside.std(0, ddof=1)
        assert found.ranks[way] == (theirs <= theirs[ratios.argmax()]).sum()


def test_a_trial_with_skill_is_chosen_and_stays_best() -> None:
    returns = noise()
    returns[:, 3] += 0.01
    found = pbo(returns, 10)
    assert found.probability == 0
    assert found.loss == 0
    assert set(found.chosen) == {3}
    assert found.first_order
    assert found.second_order


def test_among_trials_without_skill_the_best_is_a_coin_toss() -> None:
    tossed = [pbo(noise(seed=seed), 8).probability for seed in range(40)]
    assert np.mean(tossed) == pytest.approx(0.5, abs=0.08)


def test_trials_that_live_on_their_past_do_worse_the_better_they_looked() -> None:
    # Each trial gains in one block only: chosen for it, it has nothing left.
    returns = noise(trials=8, sessions=320) / 10
    for trial in range(8):
        returns[trial * 40 : trial * 40 + 40, trial] += 0.01
        returns[:, trial] -= returns[:, trial].mean()
    found = pbo(returns, 8)
    assert found.probability == 1
    assert found.loss == 1
    assert found.slope < 0
    assert not found.first_order
    assert not found.second_order


def test_scale_does_not_matter() -> None:
    returns = noise()
    np.testing.assert_allclose(pbo(returns, 6).logits, pbo(returns * 1_000, 6).logits)


def test_trials_that_never_move_score_nothing_and_share_ranks() -> None:
    returns = noise(trials=6)
    returns[:, 0] += 0.02
    returns[:, 1:5] = 0.0
    found = pbo(returns, 6)
    assert np.isfinite(found.logits).all()
    still = pbo(np.zeros((40, 4)), 4)
    np.testing.assert_array_equal(still.ranks, 2.5)
    assert still.probability == 1
    assert np.isnan(still.slope)


@pytest.mark.parametrize(
    ("returns", "blocks", "where"),
    [
        (np.ones((40, 1)), 4, "trials"),
        (np.ones(40), 4, "trials"),
        (np.ones((40, 3)), 5, "blocks"),
        (np.ones((40, 3)), 22, "blocks"),
        (np.ones((7, 3)), 4, "sessions"),
        (np.full((40, 3), np.nan), 4, "returns"),
    ],
    ids=["one trial", "no table", "odd", "many", "short", "missing"],
)
def test_what_cannot_be_judged_is_refused(returns: np.ndarray, blocks: int, where: str) -> None:
    with pytest.raises(Failure) as caught:
        pbo(returns, blocks)
    assert caught.value.where == where
