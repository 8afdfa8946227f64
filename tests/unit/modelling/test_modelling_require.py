"""What is refused before an hour is spent on it."""

import numpy as np
import pytest

from tests.unit.learning.made_rows import made_rows
from tradingd.app.modelling.require import require_own_rule, require_teachable
from tradingd.config.strategy import (
    CustomStrategy,
    EmaCross,
    ModelSignal,
    ModelUse,
    StrategyConfig,
    SwingTrend,
)
from tradingd.config.training import ForwardReturn, MetaLabel, TrainingConfig
from tradingd.kits.failure import ExitCode, Failure


@pytest.mark.parametrize("strategy", [ModelSignal(), SwingTrend(), EmaCross(use_model=ModelUse())])
def test_a_meta_label_is_judged_by_the_rule_that_it_is_about_only(strategy: StrategyConfig) -> None:
    with pytest.raises(Failure) as refused:
        require_own_rule(MetaLabel(rule="swing_trend"), strategy)
    assert refused.value.code is ExitCode.CONFIG
    assert "swing_trend_ml" in refused.value.next_step


@pytest.mark.parametrize(
    "strategy",
    [SwingTrend(use_model=ModelUse()), CustomStrategy(path="mine:Mine")],
)
def test_the_rule_itself_and_one_s_own_strategies_may_judge_a_meta_label(
    strategy: StrategyConfig,
) -> None:
    require_own_rule(MetaLabel(rule="swing_trend"), strategy)


def test_other_labels_are_judged_by_any_strategy() -> None:
    require_own_rule(ForwardReturn(), ModelSignal())


def test_too_few_sessions_are_refused_before_anything_is_learned() -> None:
    rows = made_rows(sessions=100)
    require_teachable(
        rows,
        TrainingConfig(
            walk_forward=TrainingConfig().walk_forward.__class__(train=50, validation=30, test=20)
        ),
    )
    with pytest.raises(Failure) as refused:
        require_teachable(rows, TrainingConfig())
    assert refused.value.code is ExitCode.EMPTY_RANGE
    assert refused.value.found == "100 sessions with 2,000 rows"


def test_of_a_meta_label_only_sessions_with_signals_count_and_the_refusal_says_so() -> None:
    few = made_rows(sessions=100)
    with pytest.raises(Failure, match="on which ema_cross signals") as refused:
        require_teachable(few, TrainingConfig(label=MetaLabel(rule="ema_cross")))
    assert np.unique(few.session).size == 100
    assert refused.value.code is ExitCode.EMPTY_RANGE
