"""A judge that never traded and trees that split nothing are explained."""

import datetime as dt

import msgspec
import numpy as np
import pytest

from tests.unit.learning.made_rows import made_rows
from tradingd.app.modelling.judge import Judgement
from tradingd.app.modelling.noting import cold_start, one_score, stumps, why_no_trade
from tradingd.config.strategy import ModelSignal, ModelUse, StrategyConfig, SwingTrend
from tradingd.config.training import LightGbm, TrainingConfig, WalkForward
from tradingd.learning.report import Curve, Interval
from tradingd.learning.walk import walk_forward


def judged(trades: int) -> Judgement:
    return Judgement(
        run="a-run",
        strategy="model_signal",
        metrics={"trades": Interval(value=float(trades))},
        days=(dt.date(2016, 1, 4),),
        returns=np.zeros(1),
        curve=Curve(name="it", days=(), equity=()),
    )


SURE = ModelSignal(use_model=ModelUse(min_confidence=0.6))
SHORT = msgspec.structs.replace(SURE, allow_short=True)


@pytest.mark.parametrize(
    ("strategy", "chance", "words"),
    [
        (SURE, [0.3, 0.55, np.nan], ["the surest of 2 predictions says 0.550", "needs 0.6"]),
        (SHORT, [0.45, 0.55], ["the surest of 2 predictions says 0.550"]),
        (SURE, [np.nan, np.nan], ["no probability"]),
    ],
)
def test_why_nothing_was_traded_is_told(
    strategy: StrategyConfig, chance: list[float], words: list[str]
) -> None:
    (told,) = why_no_trade(strategy, judged(0), np.array(chance))
    assert all(one in told for one in words)


@pytest.mark.parametrize(
    ("strategy", "trades", "chance"),
    [(SURE, 3, 0.5), (SURE, 0, 0.7), (SHORT, 0, 0.3), (SwingTrend(), 0, 0.5)],
)
def test_nothing_is_told_where_there_were_trades_or_predictions_are_not_the_reason(
    strategy: StrategyConfig, trades: int, chance: float
) -> None:
    assert list(why_no_trade(strategy, judged(trades), np.array([chance]))) == []


def test_steps_whose_trees_split_nothing_are_told() -> None:
    rows = made_rows(sessions=60, symbols=4)
    training = TrainingConfig(walk_forward=WalkForward(train=30, validation=10, test=10))

    def told(least: int) -> list[str]:
        learner = LightGbm(trees=3, min_rows=least)
        return list(stumps(walk_forward(rows, training, learner, 1).steps, least))

    assert told(5) == []
    (words,) = told(200)
    assert words.startswith("in 2 of 2 steps every row got the same score: at most 1")
    assert "at least 200 in a leaf" in words


def test_a_model_that_tells_no_row_from_another_is_told() -> None:
    same, rising = np.array([0.5, 0.5]), np.array([0.5, 0.6])
    assert list(one_score(same, same)) == [
        "every one of 2 rows got the same score: the model tells nothing apart"
    ]
    (told,) = one_score(rising, same)
    assert told.startswith("every one of 2 rows got the same probability, 0.500")
    assert list(one_score(rising, rising)) == []
    assert list(one_score(rising, np.full(2, np.nan))) == []


def test_rules_of_daily_bars_that_start_cold_are_told() -> None:
    days = tuple(dt.date(2016, 1, 4) + dt.timedelta(one) for one in range(80))
    long = msgspec.structs.replace(judged(0), days=days)
    (told,) = cold_start(SwingTrend(slow=50), long)
    assert "nothing from before 2016-01-04: in the first 50 of 80 judged sessions" in told
    (told,) = cold_start(SwingTrend(slow=50), judged(0))
    assert "in the first 1 of 1 " in told
    assert list(cold_start(SURE, long)) == []
