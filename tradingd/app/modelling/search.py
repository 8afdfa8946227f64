"""Try learners on the days before anything is judged, and have the registry count each."""

from typing import NamedTuple

import numpy as np

from tradingd.app.modelling.rows import Tell
from tradingd.config.training import LearnerConfig, TrainingConfig
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.report import TrialFacts
from tradingd.learning.splits import walk_forward
from tradingd.learning.trial import TrialResult
from tradingd.learning.tune import tune
from tradingd.registry.open import Registry
from tradingd.registry.trials import RunHandle


class Searched(NamedTuple):
    """The learner to go on with; `returns` has shape (sessions, trials)."""

    best: LearnerConfig
    trials: tuple[TrialFacts, ...]
    returns: Floats


def before_judgement(dataset: Dataset, training: TrainingConfig) -> Dataset:
    """Return the rows whose labels end before the first predicted row: what a search may see."""
    first = int(dataset.ts[walk_forward(dataset, training.walk_forward)[0].test[0]])
    return dataset.take(np.flatnonzero(dataset.end < first))


def search(
    dataset: Dataset,
    training: TrainingConfig,
    seed: int,
    registry: Registry,
    run: RunHandle,
    tell: Tell,
) -> Searched:
    """Search and record."""
    facts: list[TrialFacts] = []

    def record(trial: TrialResult) -> None:
        registry.log_trial(
            run,
            number=trial.number,
            parameters=trial.parameters,
            score=trial.score,
            sharpe=trial.sharpe,
            seconds=trial.seconds,
        )
        facts.append(
            TrialFacts(
                number=trial.number,
                parameters=trial.parameters,
                score=trial.score,
                sharpe=trial.sharpe,
                seconds=trial.seconds,
            )
        )
        tell("trials", len(facts), training.tuning.trials)

    found = tune(before_judgement(dataset, training), training, seed, record)
    if not found.trials:
        # Nobody searched: the model as stated is the one that was tried.
        registry.log_trial(run, number=0, parameters={"stated": True}, score=None, sharpe=None)
        return Searched(best=found.best, trials=(), returns=np.empty((0, 0)))
    return Searched(best=found.best, trials=tuple(facts), returns=found.returns())
