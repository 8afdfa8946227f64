"""Judge a registered model by days it cannot know."""

import datetime as dt

import msgspec
import numpy as np

from tradingd.app.modelling import drifting
from tradingd.app.modelling.judge import judge, require_model_use
from tradingd.app.modelling.registered import Asked, ask, probabilities
from tradingd.app.modelling.rows import Tell
from tradingd.config.load import Loaded
from tradingd.domain import calibration as calibrations
from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.scratch import scratch
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.report import Interval
from tradingd.learning.scores import measure
from tradingd.serving.table import PredictionRows, write_predictions
from tradingd.session.calendar import local_date, local_midnight_ns


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on days after its training; `judged` is after all costs."""

    model: str
    first_day: dt.date
    last_day: dt.date
    rows: int
    strategy: str
    run: str
    scores: dict[str, Interval]
    judged: dict[str, Interval]
    drift: dict[str, float]


def evaluate(
    loaded: Loaded, model: str, tell: Tell = lambda _stage, _done, _all: None
) -> Evaluation:
    """Predict the rows after the model's training, score them and trade them.

    Raises
    ------
    Failure
        NO_DATA when the store holds no such rows; as of `ask`.
    """
    require_model_use(loaded.config.strategy)
    asked = ask(loaded, model, tell)
    unseen = _unseen(asked)
    score = asked.predictor.many(unseen.x)
    chance = probabilities(asked.manifest, score)
    first, last = (local_date(int(ts)) for ts in (unseen.ts[0], unseen.ts[-1]))
    with scratch("evaluate") as folder:
        path = folder / "predictions.parquet"
        write_predictions(path, _rows(asked.manifest, unseen, score, chance))
        judged = judge(loaded, path, first, last, lambda done, every: tell("judge", done, every))
    return Evaluation(
        model=asked.manifest.id,
        first_day=first,
        last_day=last,
        rows=len(unseen),
        strategy=judged.strategy,
        run=judged.run,
        scores=measure(
            asked.manifest.task,  # type: ignore[arg-type]  # a policy has no labels and is never registered
            unseen,
            score,
            chance,
            seed=loaded.config.seed,
        ),
        judged=judged.metrics,
        drift=_drift(asked, unseen),
    )


def _unseen(asked: Asked) -> Dataset:
    """Return the rows that begin after the last day the model saw."""
    day_after = asked.manifest.training.end + dt.timedelta(days=1)
    dataset = asked.rows.dataset
    unseen = dataset.take(np.flatnonzero(dataset.ts >= local_midnight_ns(day_after)))
    if not len(unseen):
        raise Failure(
            f"the store holds nothing that {asked.manifest.id} does not know",
            code=ExitCode.NO_DATA,
            where="training.end, the history store",
            expected=f"bars after {asked.manifest.training.end}, and what came of them",
            found=f"rows up to {local_date(int(dataset.ts[-1]))}",
            next_step="tradingd data sync, or wait: its walk-forward is in `tradingd model show`",
        )
    return unseen


def _rows(manifest: ModelManifest, rows: Dataset, score: Floats, chance: Floats) -> PredictionRows:
    low, high = np.full(len(score), np.nan), np.full(len(score), np.nan)
    if manifest.interval is not None:
        ends = [calibrations.ends(manifest.interval, one) for one in score.tolist()]
        low, high = (np.array(side, dtype=np.float64) for side in zip(*ends, strict=True))
    return PredictionRows(
        model=manifest.id,
        about_signal=manifest.label is not None and manifest.label.about_signal,
        symbols=rows.universe,
        symbol=rows.symbol,
        ts=rows.ts,
        score=score,
        probability=chance,
        low=low,
        high=high,
    )


def _drift(asked: Asked, unseen: Dataset) -> dict[str, float]:
    """Return each feature's index on the unseen rows, against the days it was trained on."""
    training = asked.manifest.training
    dataset = asked.rows.dataset
    known = (dataset.ts >= local_midnight_ns(training.start)) & (
        dataset.ts < local_midnight_ns(training.end + dt.timedelta(days=1))
    )
    if not known.any():
        return {}
    return drifting.drift(drifting.training_reference(dataset, np.flatnonzero(known)), unseen.x)
