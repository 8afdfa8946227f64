"""Scores become probabilities that can be believed."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.learning.made_rows import made_rows
from tradingd.domain.calibration import probability
from tradingd.domain.manifest import Calibration
from tradingd.learning.calibrate import fit_calibration, outcome, probabilities

KINDS = ("platt", "isotonic")
both = pytest.mark.parametrize("kind", KINDS)


def boastful(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores three times as sure as they may be, in log-odds, and what happened."""
    dice = np.random.default_rng(seed)
    truth = dice.normal(0, 0.7, rows)
    happened = dice.random(rows) < 1 / (1 + np.exp(-truth))
    return 1 / (1 + np.exp(-3 * truth)), happened


def brier(chance: np.ndarray, happened: np.ndarray) -> float:
    return float(np.mean((chance - happened) ** 2))


@both
def test_scores_that_are_too_sure_are_drawn_in_and_err_less_on_unseen_rows(kind: str) -> None:
    calibration = fit_calibration(kind, *boastful(5_000, 1))  # type: ignore[arg-type]
    score, happened = boastful(20_000, 2)

    chance = probabilities(calibration, score)

    assert brier(chance, happened) < brier(score, happened) - 0.02
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8)):
        inside = (chance >= low) & (chance < high)
        assert abs(happened[inside].mean() - chance[inside].mean()) < 0.04


@both
def test_a_calibration_rises_with_the_score_and_keeps_off_certainty(kind: str) -> None:
    calibration = fit_calibration(kind, *boastful(500, 3))  # type: ignore[arg-type]

    chance = probabilities(calibration, np.linspace(-1, 2, 1_001))

    assert (np.diff(chance) >= 0).all()
    assert chance.min() > 0
    assert chance.max() < 1
    assert chance.max() - chance.min() > 0.3


@both
def test_scores_that_are_wrong_way_round_are_not_turned_but_worth_the_base_rate(kind: str) -> None:
    score, happened = boastful(5_000, 4)

    chance = probabilities(fit_calibration(kind, 1 - score, happened), score)  # type: ignore[arg-type]

    assert np.ptp(chance) < 0.05
    np.testing.assert_allclose(chance.mean(), happened.mean(), atol=0.02)


def test_the_logistic_curve_is_the_maximum_of_platts_likelihood() -> None:
    score, happened = boastful(300, 5)
    weight = np.random.default_rng(6).uniform(0.5, 1.5, 300)
    fitted = fit_calibration("platt", score, happened, weight)
    assert fitted.slope is not None
    assert fitted.intercept is not None
    hits = happened.sum()
    target = np.where(happened, (hits + 1) / (hits + 2), 1 / (300 - hits + 2))

    def likelihood(slope: float, intercept: float) -> float:
        chance = 1 / (1 + np.exp(-(slope * score + intercept)))
        each = target * np.log(chance) + (1 - target) * np.log(1 - chance)
        return float((weight * each).sum())

    best = likelihood(fitted.slope, fitted.intercept)
    for step in (1e-3, 1e-2):
        for a, b in ((step, 0), (-step, 0), (0, step), (0, -step), (step, -step)):
            assert likelihood(fitted.slope + a, fitted.intercept + b) < best


@both
@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), score=st.floats(-1e6, 1e6))
def test_what_is_read_back_from_json_gives_the_same_bits(
    kind: str, seed: int, score: float
) -> None:
    dice = np.random.default_rng(seed)
    number = dice.normal(0, 0.01, 200)
    calibration = fit_calibration(kind, number, dice.random(200) < 0.5 + 10 * number)  # type: ignore[arg-type]

    again = msgspec.json.decode(msgspec.json.encode(calibration), type=Calibration)

    assert again == calibration
    assert probability(again, score) == probability(calibration, score)
    assert probabilities(calibration, np.array([score]))[0] == probability(calibration, score)


@both
def test_too_few_rows_or_one_score_for_all_give_the_smoothed_base_rate(kind: str) -> None:
    few = fit_calibration(kind, np.array([0.1, 0.9]), np.array([True, True]))  # type: ignore[arg-type]
    same = fit_calibration(kind, np.full(98, 0.4), np.arange(98) < 49)  # type: ignore[arg-type]
    none = fit_calibration(kind, np.array([]), np.array([], dtype=bool))  # type: ignore[arg-type]

    assert probability(few, 0.5) == pytest.approx(3 / 4)
    assert probability(same, 0.9) == pytest.approx(0.5)
    assert probability(none, 0.5) == 0.5


def test_a_score_that_is_no_number_has_no_probability() -> None:
    calibration = fit_calibration("platt", *boastful(500, 7))

    assert probability(calibration, math.nan) is None
    assert math.isnan(probabilities(calibration, np.array([math.nan]))[0])


def test_without_calibration_the_score_is_the_probability() -> None:
    assert probability(fit_calibration("none", *boastful(500, 8)), 0.3) == 0.3


def test_the_largest_scores_do_not_overflow() -> None:
    steep = Calibration(kind="platt", slope=1e6, intercept=0.0)

    assert probability(steep, 1e6) == 1.0
    assert probability(steep, -1e6) == 0.0


def test_success_is_the_class_or_else_a_gain() -> None:
    classes, numbers = made_rows(), made_rows(classes=False)

    assert np.array_equal(outcome("classification", classes), classes.y == 1)
    assert np.array_equal(outcome("ranking", numbers), numbers.gain > 0)
