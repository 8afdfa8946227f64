"""What is refused before an hour is spent on it."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from tradingd.app.model_gates import judge_by
from tradingd.app.modelling.judge import require_model_use
from tradingd.config.strategy import CustomStrategy, StrategyConfig, members
from tradingd.config.system import SystemConfig
from tradingd.config.training import ForwardReturn, LabelConfig, MetaLabel, TrainingConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.learners.rows import monotone_signs
from tradingd.learning.splits import require_sessions

_ASKING: Final = {
    "swing_trend": "strategy=swing_trend_ml",
    "intraday_mean_reversion": "strategy=intraday_ml features=minute",
    "ema_cross": "strategy=ema_cross strategy.use_model={}",
}
"""How the strategy of each rule is told to ask a model."""

_NAMED = 5
"""Features that a refusal names."""


def require_settings(config: SystemConfig) -> None:
    """Refuse what the configuration alone shows.

    Raises
    ------
    Failure
        CONFIG: a judge that does not ask, trades other bars, or has another rule than the one whose
        signals are learned; days that run backwards.
        CONTRACT: a rule that is not there.
    """
    require_model_use(config.strategy)
    require_own_rule(config.training.label, config.strategy)
    _require_same_bars(config)
    _require_days(config.training)
    judge_by(config.training.gates.rules)


def require_own_rule(label: LabelConfig, strategy: StrategyConfig) -> None:
    """Refuse a judge whose signals are not those that a meta-label is about.

    Raises
    ------
    Failure
        CONFIG, naming the strategy that trades the rule.
    """
    if not isinstance(label, MetaLabel):
        return
    asking = {
        str(one.__struct_config__.tag)
        for one in members(strategy)
        if isinstance(one, CustomStrategy) or one.use_model is not None
    }
    # What a strategy of one's own signals by is not known here.
    if asking & {label.rule, "custom"}:
        return
    raise Failure(
        "the strategy that is to judge the model does not trade the rule that it is about",
        code=ExitCode.CONFIG,
        where="strategy.kind, training.label.rule",
        expected=f"{label.rule} with strategy.use_model",
        found=", ".join(sorted(asking)) or "no strategy that asks a model",
        next_step=_ASKING[label.rule],
    )


def _require_same_bars(config: SystemConfig) -> None:
    if config.strategy.bars != config.features.bars:
        raise Failure(
            "the judge trades on other bars than the features are made of",
            code=ExitCode.CONFIG,
            where="strategy.bars, features.bars",
            expected="the same",
            found=f"{config.strategy.bars} and {config.features.bars}",
            next_step=f"strategy.bars={config.features.bars}, or features=minute",
        )


def _require_days(training: TrainingConfig) -> None:
    if training.start and training.end and training.start > training.end:
        raise Failure(
            "the days to learn from run backwards",
            code=ExitCode.CONFIG,
            where="training.start, training.end",
            expected="the first day, then the last",
            found=f"{training.start} and {training.end}",
        )


def require_teachable(dataset: Dataset, training: TrainingConfig) -> None:
    """Refuse rows from which nothing can be learned, whatever the learner.

    Raises
    ------
    Failure
        CONFIG: an answer that needs several symbols, and there is one; a monotone feature that is
        not there. EMPTY_RANGE: too few sessions. NO_DATA: features without any value.
    """
    monotone_signs(training.learner.monotone, dataset.names)
    if reason := next(_needs_several(training), ""):
        _require_several(dataset, reason)
    require_values(dataset.names, dataset.x)
    _require_sessions(dataset, training)


def _require_sessions(dataset: Dataset, training: TrainingConfig) -> None:
    try:
        require_sessions(dataset, training.walk_forward)
    except Failure as failure:
        if isinstance(training.label, MetaLabel):
            failure.next_step = (
                f"only sessions count on which {training.label.rule} signals: take more symbols or "
                "days, a rule that signals more often, or shorter windows"
            )
        raise


def require_values(names: Sequence[str], x: Floats) -> None:
    """Refuse features without any value in rows of shape (rows, features).

    Raises
    ------
    Failure
        NO_DATA, naming them.
    """
    empty = [name for name, column in zip(names, x.T, strict=True) if np.isnan(column).all()]
    if empty:
        raise Failure(
            "features have no value in any row: a model that asks for them would always abstain",
            code=ExitCode.NO_DATA,
            where=f"features.declared.{empty[0]}",
            expected="what they are made of in the store: bars as far back as they look, quotes, "
            "features.sectors, features.benchmark, earnings, other symbols",
            found=", ".join(empty[:_NAMED])
            + (f" and {len(empty) - _NAMED} more" if len(empty) > _NAMED else ""),
            next_step=f"store that, or leave them out (~features.declared.{empty[0]}); "
            "`tradingd features report` shows every feature",
        )


def _needs_several(training: TrainingConfig) -> Iterator[str]:
    if isinstance(training.label, ForwardReturn) and training.label.relative:
        yield "training.label.relative"
    if training.task == "ranking":
        yield "training.task"


def _require_several(dataset: Dataset, where: str) -> None:
    found = np.unique(dataset.symbol)
    if len(found) < 2:
        raise Failure(
            "one symbol cannot do better or worse than others",
            code=ExitCode.CONFIG,
            where=where,
            expected="rows of two symbols at least",
            found=", ".join(dataset.universe[one] for one in found.tolist()),
            next_step="more symbols (universe=...), or training.label.relative=false and "
            "training.task=classification",
        )
