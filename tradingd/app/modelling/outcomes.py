"""What became of rows that were predicted: their labels, once the store knows them."""

import datetime as dt
from typing import NamedTuple

import msgspec
import numpy as np

from tradingd.app.modelling.pairs import Pairs, nothing
from tradingd.app.modelling.sides import sides
from tradingd.config.paths import store_root
from tradingd.config.system import SystemConfig
from tradingd.config.training import ForwardReturn, LabelConfig, MetaLabel
from tradingd.domain.manifest import ModelManifest
from tradingd.domain.market import Resolution
from tradingd.features.series import Integers, Series
from tradingd.features.store_series import read_series
from tradingd.history.store import Store
from tradingd.learning.calibrate import Task
from tradingd.learning.dataset import Dataset
from tradingd.learning.labels import Labels, label
from tradingd.learning.labels.relative import against_the_mean
from tradingd.session.calendar import SessionCalendar, local_date

LEAST_SESSIONS = 5
"""Fewer cannot be drawn again."""


class Outcomes(NamedTuple):
    """Rows whose outcome is known, which of the pairs they are, and why others are not."""

    dataset: Dataset
    kept: Integers
    left_out: dict[str, int]


def label_of(manifest: ModelManifest, config: SystemConfig) -> tuple[LabelConfig, Resolution]:
    """Return how a model's target was made; of a foreign model its stated horizon."""
    facts = manifest.label
    if facts is None or facts.kind == "other":
        resolution = Resolution(config.features.bars)
        bars = round(manifest.target.horizon_seconds * 1e9 / resolution.nanoseconds)
        return ForwardReturn(bars=max(1, bars)), resolution
    stated = {"kind": facts.kind, "bars": facts.bars, **facts.parameters}
    if facts.rule:
        stated["rule"] = facts.rule
    # The tags make it the right one; mypy takes no union for a type.
    found: LabelConfig = msgspec.convert(stated, LabelConfig)
    return found, Resolution(facts.resolution)


def outcomes(
    config: SystemConfig, task: Task, chosen: LabelConfig, resolution: Resolution,
    pairs: Pairs, trained: dt.date,
) -> Outcomes:  # fmt: skip
    """Return the labels of rows after the last day that one of the models was trained on.

    Raises
    ------
    Failure
        NO_DATA when too few are known.
    """
    size = len(pairs.ts)
    y, gain = np.full(size, np.nan), np.full(size, np.nan)
    end, session = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for number, one in _bars(config, pairs, resolution).items():
        rows = np.flatnonzero(pairs.symbol == number)
        place = np.minimum(np.searchsorted(one.ts, pairs.ts[rows]), len(one) - 1)
        labels = _labels(config, task, chosen, one)
        known = (one.ts[place] == pairs.ts[rows]) & labels.valid[place]
        rows, place = rows[known], place[known]
        y[rows], gain[rows] = labels.y[place], labels.gain[place]
        end[rows], session[rows] = labels.end[place], one.session[place]
    fresh = np.array([local_date(ts) > trained for ts in pairs.ts.tolist()], np.bool_)
    known = np.isfinite(y)
    left_out = {
        **pairs.left_out,
        "days_of_training": int((~fresh).sum()),
        "no_outcome_yet": int((fresh & ~known).sum()),
    }
    kept = np.flatnonzero(fresh & known)
    numbers, numbered = np.unique(session[kept], return_inverse=True)
    if len(numbers) < LEAST_SESSIONS:
        raise nothing(
            "too few predictions have an outcome by now",
            "the store's bars",
            f"{len(kept):,} rows of {len(numbers)} sessions; left out: "
            + (", ".join(f"{count:,} {name}" for name, count in left_out.items() if count) or "-"),
            expected=f"rows of {LEAST_SESSIONS} sessions after {trained}",
        )
    found = Dataset(
        names=(),
        universe=pairs.symbols,
        symbol=pairs.symbol[kept],
        ts=pairs.ts[kept],
        end=end[kept],
        session=numbered.astype(np.int64),
        x=np.empty((len(kept), 0)),
        y=y[kept],
        gain=gain[kept],
        weight=np.ones(len(kept)),
    )
    if isinstance(chosen, ForwardReturn) and chosen.relative:
        found = against_the_mean(
            found, classify=task == "classification", threshold=chosen.threshold_bps / 10_000
        )
    return Outcomes(found, kept, left_out)


def _bars(config: SystemConfig, pairs: Pairs, resolution: Resolution) -> dict[int, Series]:
    """Return the bars by number of symbol, with some before for what labels look back at."""
    before = dt.timedelta(120 if resolution is Resolution.DAY else 10)
    found = read_series(
        Store(store_root(config), config.store),
        pairs.symbols,
        resolution,
        local_date(int(pairs.ts[0])) - before,
        None,
        calendar=SessionCalendar(config.session.calendar),
        regular_only=config.session.regular_only,
    )
    numbers = {symbol: number for number, symbol in enumerate(pairs.symbols)}
    return {numbers[one.symbol]: one for one in found if len(one)}


def _labels(config: SystemConfig, task: Task, chosen: LabelConfig, series: Series) -> Labels:
    return label(
        chosen,
        task,
        ts=series.ts,
        close=series.close,
        high=series.high,
        low=series.low,
        sides=sides(chosen, config.strategy, series) if isinstance(chosen, MetaLabel) else None,
    )
