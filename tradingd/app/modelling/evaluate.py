"""Judge a registered model by days it cannot know."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from tradingd.app.modelling import drifting
from tradingd.app.modelling.judge import Judgement, judge, require_model_use
from tradingd.app.modelling.noting import cold_start, one_score, why_no_trade
from tradingd.app.modelling.registered import Asked, ask, label_of, probabilities
from tradingd.app.modelling.rows import Tell, label_words
from tradingd.config.load import Loaded
from tradingd.config.paths import registry_root
from tradingd.domain import calibration as calibrations
from tradingd.domain.manifest import ModelManifest
from tradingd.kits import atomicfile
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash
from tradingd.kits.scratch import scratch
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.report import Interval
from tradingd.learning.scores import measure
from tradingd.registry.client import make_folder
from tradingd.serving.table import PredictionRows, write_predictions
from tradingd.session.calendar import local_date, local_midnight_ns


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on days after its training; `judged` is after all costs.

    Parameters
    ----------
    label : str
        What was foretold: the label that the model's manifest states.
    predictions : str
        File of every prediction, as ``model=predictions model.path=...`` takes it.
    """

    model: str
    label: str
    first_day: dt.date
    last_day: dt.date
    rows: int
    strategy: str
    run: str
    scores: dict[str, Interval]
    judged: dict[str, Interval]
    drift: dict[str, float]
    predictions: str
    notes: tuple[str, ...] = ()


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
    asked = ask(loaded, model, tell, judged=True)
    unseen = _unseen(asked)
    score = asked.predictor.many(unseen.x)
    chance = probabilities(asked.manifest, score)
    first, last = (local_date(int(ts)) for ts in (unseen.ts[0], unseen.ts[-1]))
    path = _kept(loaded, _rows(asked.manifest, unseen, score, chance), asked.manifest)
    judged = judge(loaded, path, first, last, lambda done, every: tell("judge", done, every))
    return Evaluation(
        model=asked.manifest.id,
        label=label_words(asked.training),
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
        predictions=str(path),
        notes=(*one_score(score, chance), *_notes(loaded, asked, judged, chance)),
    )


def _kept(loaded: Loaded, rows: PredictionRows, manifest: ModelManifest) -> Path:
    """Write predictions beside the registry, under a name that is their content's.

    The backtest that judges them names the file: the same predictions make the same run, and who
    doubts it can repeat it.
    """
    folder = registry_root(loaded.config) / "evaluations" / manifest.name / manifest.version
    make_folder(folder)
    with scratch("evaluate") as place:
        made = place / "predictions.parquet"
        write_predictions(made, rows)
        path = folder / f"{file_hash(made)[:16]}.parquet"
        atomicfile.write_bytes(path, made.read_bytes())
    return path


def _notes(loaded: Loaded, asked: Asked, judged: Judgement, chance: Floats) -> Iterator[str]:
    stated = asked.manifest.label
    if stated is None or label_of(stated) is None:
        yield "its manifest states no label that can be made here: measured by the configured one"
    yield from why_no_trade(loaded.config.strategy, judged, chance)
    yield from cold_start(loaded.config.strategy, judged)


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
