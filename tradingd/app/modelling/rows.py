"""Rows to learn from: features of every bar, joined with what came after."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.app.modelling.require import require_values
from tradingd.app.modelling.sides import sides
from tradingd.app.modelling.sources import Sources, open_sources
from tradingd.config.system import SystemConfig
from tradingd.config.training import ForwardReturn, MetaLabel, TrainingConfig
from tradingd.features.batch import compute
from tradingd.features.frame import FeatureFrame
from tradingd.features.series import Floats, Series
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.assemble import assemble
from tradingd.learning.dataset import Dataset
from tradingd.learning.labels import Labels, label
from tradingd.learning.labels.relative import against_the_mean
from tradingd.learning.report import DataFacts
from tradingd.learning.weights import uniqueness
from tradingd.session.calendar import local_date

PATIENCE = 4
"""The first quarter of the features' memory is left out: what a cold start then still weighs in a
recursive feature is some thousandth of it (a quarter of the exponent of 1e-13)."""

type Tell = Callable[[str, int, int], None]
"""Called with (stage, done, all)."""


class Rows(NamedTuple):
    """A data set and everything it was made of."""

    sources: Sources
    frame: FeatureFrame
    dataset: Dataset
    dropped: dict[str, int]


def read_rows(config: SystemConfig, tell: Tell) -> Rows:
    """Read bars, compute features and labels, and join them.

    Raises
    ------
    Failure
        NO_DATA when nothing is left to learn from; others name what is wrong with the inputs.
    """
    training = config.training
    tell("bars", 0, 3)
    sources = open_sources(config, training.start, training.end)
    tell("features", 1, 3)
    frame = compute(sources.feature_set, sources.series)
    tell("labels", 2, 3)
    labels = {
        one.symbol: _labels(config, one) for one in sources.series if one.symbol in sources.traded
    }
    made = assemble(
        names=frame.names,
        universe=frame.symbols,
        symbol=frame.symbol,
        ts=frame.ts,
        session=frame.session,
        x=frame.x,
        labels=labels,
        member=_members(sources, frame),
        warmup=-(-sources.feature_set.memory // PATIENCE),
    )
    if not len(made.dataset):
        if "no_features" in made.dropped:
            require_values(frame.names, frame.x)
        raise _nothing_left(made.dropped, sources.feature_set.memory, training)
    tell("labels", 3, 3)
    return Rows(sources, frame, _finished(made.dataset, training, config.seed), made.dropped)


def _nothing_left(dropped: dict[str, int], memory: int, training: TrainingConfig) -> Failure:
    counts = {name.replace("_", " "): count for name, count in dropped.items() if count}
    ahead, rule = training.label.bars, isinstance(training.label, MetaLabel)
    return Failure(
        "nothing is left to learn from",
        code=ExitCode.NO_DATA,
        where="training.label, features",
        expected="bars with features and a label whose horizon is over",
        found=", ".join(f"{count:,} rows {name}" for name, count in counts.items()) or "no bar",
        next_step=f"more history, or a shorter label (it looks {ahead} bars ahead) or shorter "
        f"features (they look {memory} bars back)"
        + (", or a rule that signals more often" if rule else ""),
    )


def _labels(config: SystemConfig, series: Series) -> Labels:
    chosen = config.training.label
    return label(
        chosen,
        config.training.task,
        ts=series.ts,
        close=series.close,
        high=series.high,
        low=series.low,
        sides=sides(chosen, config.strategy, series) if isinstance(chosen, MetaLabel) else None,
    )


def _members(sources: Sources, frame: FeatureFrame) -> NDArray[np.bool_]:
    """Rows of symbols that are traded; a benchmark that is not has features of its own only."""
    traded = np.isin(np.array(frame.symbols), np.array(sources.traded))
    return traded[frame.symbol]


def _finished(dataset: Dataset, training: TrainingConfig, seed: int) -> Dataset:
    found = dataset
    if isinstance(training.label, ForwardReturn) and training.label.relative:
        found = against_the_mean(
            found,
            classify=training.task == "classification",
            threshold=training.label.threshold_bps / 10_000,
        )
    if training.weights == "uniqueness":
        found = msgspec.structs.replace(found, weight=uniqueness(found))
    return shuffled(found, seed) if training.placebo else found


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """Return the rows with their answers exchanged among the rows of each session."""
    rng = np.random.default_rng(seed)
    y = dataset.y.copy()
    cuts = np.flatnonzero(np.diff(dataset.session)) + 1
    for rows in np.split(np.arange(len(y)), cuts):
        y[rows] = y[rng.permutation(rows)]
    return msgspec.structs.replace(dataset, y=y)


def data_facts(rows: Rows, training: TrainingConfig) -> DataFacts:
    """Describe what was learned from."""
    dataset = rows.dataset
    classes = training.task == "classification"
    return DataFacts(
        symbols=len(np.unique(dataset.symbol)),
        rows=len(dataset),
        sessions=int(dataset.session[-1]) + 1,
        first_day=local_date(int(dataset.ts[0])),
        last_day=local_date(int(dataset.end.max())),
        features=dataset.names,
        features_hash=rows.sources.feature_set.hash,
        fingerprint=fingerprint(dataset),
        label=label_words(training),
        positive_share=float(dataset.y.mean()) if classes else None,
        missing_share=float(np.isnan(dataset.x).mean()),
        dropped=rows.dropped,
    )


def label_words(training: TrainingConfig) -> str:
    """Return the label in words."""
    tree = msgspec.to_builtins(training.label)
    kind = tree.pop("kind")
    return f"{kind}({', '.join(f'{key}={value}' for key, value in tree.items())})"


def fingerprint(dataset: Dataset) -> str:
    """Return the SHA-256 over everything a learner sees."""
    digest = hashlib.sha256(
        msgspec.json.encode([list(dataset.names), list(dataset.universe), len(dataset)])
    )
    for array in (
        dataset.symbol, dataset.ts, dataset.end, dataset.x, dataset.y, dataset.gain, dataset.weight,
    ):  # fmt: skip
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def market(frame: FeatureFrame) -> tuple[tuple[dt.date, ...], Floats]:
    """Return the days and the mean log return of all symbols, session close to session close."""
    last: dict[int, tuple[int, Floats]] = {}
    for session in np.unique(frame.session[frame.session >= 0]).tolist():
        rows = np.flatnonzero(frame.session == session)
        closes = np.full(len(frame.symbols), np.nan)
        closes[frame.symbol[rows]] = frame.close[rows]
        last[session] = (int(frame.ts[rows[-1]]), closes)
    stamps = [ts for ts, _ in last.values()]
    logs = np.log(np.array([closes for _, closes in last.values()]))
    steps = np.diff(logs, axis=0)
    known = np.isfinite(steps)
    mean = np.where(known, steps, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return tuple(local_date(ts) for ts in stamps), np.concatenate(([0.0], mean))
