"""Prove that this very evaluation would notice a leak: plant one, and see."""

import msgspec
import numpy as np

from tradingd.config.training import LearnerConfig, TrainingConfig
from tradingd.learning.dataset import Dataset
from tradingd.learning.leak import Proof, prove
from tradingd.learning.splits import purged_k_fold
from tradingd.learning.trial import score_fold
from tradingd.learning.workload import Job, Workload

MOST_ROWS = 40_000
FOLDS = 2
TREES = 40


def canary_proof(dataset: Dataset, training: TrainingConfig, seed: int) -> Proof:
    """Score the learner in purged folds with a column that peeks, and with noise in its place.

    On some symbols of the data set and with few trees: a leak that is worth anything shows there.
    """
    few = msgspec.structs.replace(training.learner, trees=min(TREES, training.learner.trees))

    def evaluate(rows: Dataset) -> float:
        return _mean_skill(rows, training, few, seed)

    return prove(_some(dataset, seed), evaluate, seed)


def _mean_skill(
    dataset: Dataset, training: TrainingConfig, learner: LearnerConfig, seed: int
) -> float:
    folds = tuple(purged_k_fold(dataset, FOLDS, training.tuning.embargo_percent))
    # Signs are stated for the features there are, not for a planted one.
    workload = Workload(dataset=dataset, folds=folds, training=training)
    jobs = (Job(fold=one, learner=learner, seed=seed) for one in range(len(folds)))
    found = [score_fold(workload, job).skill for job in jobs]
    known = [one for one in found if one is not None]
    return float(np.mean(known)) if known else float("nan")


def _some(dataset: Dataset, seed: int) -> Dataset:
    """Return the rows of so many symbols that there are at most 40,000; one symbol at least."""
    symbols = np.unique(dataset.symbol)
    count = max(1, int(len(symbols) * min(1.0, MOST_ROWS / len(dataset))))
    chosen = np.random.default_rng(seed).choice(symbols, count, replace=False)
    return dataset.take(np.isin(dataset.symbol, chosen))
