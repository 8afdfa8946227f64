"""What the walk-forward predicted, as a file for the judge and as facts for the report."""

import datetime as dt
from pathlib import Path

import numpy as np

from tradingd.config.training import MetaLabel, TrainingConfig
from tradingd.learning.dataset import Dataset
from tradingd.learning.report import FoldFacts
from tradingd.learning.walk import Span, WalkResult
from tradingd.serving.table import PredictionRows, write_predictions
from tradingd.session.calendar import local_date


def write(walked: WalkResult, dataset: Dataset, training: TrainingConfig, path: Path) -> None:
    """Write the out-of-sample predictions."""
    write_predictions(
        path,
        PredictionRows(
            model=f"{training.name}, walk-forward",
            about_signal=isinstance(training.label, MetaLabel),
            symbols=dataset.universe,
            symbol=dataset.symbol[walked.rows],
            ts=dataset.ts[walked.rows],
            score=walked.score,
            probability=walked.probability,
            low=np.where(np.isfinite(walked.low), walked.low, np.nan),
            high=np.where(np.isfinite(walked.high), walked.high, np.nan),
        ),
    )


def fold_facts(walked: WalkResult) -> tuple[FoldFacts, ...]:
    """Return every step's facts."""
    return tuple(
        FoldFacts(
            number=step.number,
            train=_days(step.train),
            validation=_days(step.validation),
            test=_days(step.test),
            rows=step.used,
            purged=step.purged,
            trees=step.trees,
            inside=step.inside,
            outside=step.outside,
        )
        for step in walked.steps
    )


def judged_days(walked: WalkResult, dataset: Dataset) -> tuple[dt.date, dt.date]:
    """Return the first and the last predicted day."""
    stamps = dataset.ts[walked.rows]
    return local_date(int(stamps.min())), local_date(int(stamps.max()))


def _days(span: Span) -> tuple[dt.date, dt.date]:
    return local_date(span[0]), local_date(span[1])
