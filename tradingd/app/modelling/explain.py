"""What a registered model goes by: SHAP values over all rows, or of one."""

import datetime as dt

import msgspec
import numpy as np

from tradingd.app.modelling.registered import Asked, ask, probabilities
from tradingd.app.modelling.rows import Tell
from tradingd.config.load import Loaded
from tradingd.features.frame import FeatureFrame
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.learning.dataset import Floats
from tradingd.learning.explain import ROWS
from tradingd.learning.learners.reading import contributions
from tradingd.session.calendar import local_date, local_midnight_ns


class FeatureShare(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: its value in the row (None over many rows), and what it adds to the margin.

    `contribution` is the SHAP value of a row, or the mean absolute one over many; `share` is its
    part of all.
    """

    name: str
    value: float | None
    contribution: float
    share: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`score` and `probability` only of a single row; `base` is the margin without features."""

    model: str
    rows: int
    symbol: str
    day: str
    score: float | None
    probability: float | None
    base: float
    features: tuple[FeatureShare, ...]


def explain(
    loaded: Loaded,
    model: str,
    symbol: str | None = None,
    day: dt.date | None = None,
    tell: Tell = lambda _stage, _done, _all: None,
) -> Explanation:
    """Explain a model, or its prediction for a symbol from its last bar of a day.

    Raises
    ------
    Failure
        UNKNOWN_SYMBOL or NO_DATA when there is no such row; as of `ask`.
    """
    asked = ask(loaded, model, tell)
    if symbol is None:
        return _of_many(asked)
    return _of_one(asked, symbol, day)


def _shares(asked: Asked, x: Floats) -> Floats:
    artifact = asked.manifest.artifact
    return contributions(asked.entry.folder / artifact.path, artifact.format, x)


def _of_many(asked: Asked) -> Explanation:
    x = asked.rows.dataset.x
    picked = x[np.linspace(0, len(x) - 1, min(ROWS, len(x))).astype(np.int64)]
    shares = _shares(asked, picked)
    return _told(asked, len(picked), np.abs(shares).mean(axis=0), float(shares[0, -1]), None)


def _of_one(asked: Asked, symbol: str, day: dt.date | None) -> Explanation:
    frame = asked.rows.frame
    last = _last_row(frame, symbol, day)
    row = frame.x[last]
    shares = _shares(asked, row[None, :])[0]
    told = _told(asked, 1, shares, float(shares[-1]), row)
    score = asked.predictor.many(row[None, :])
    chance = float(probabilities(asked.manifest, score)[0])
    return msgspec.structs.replace(
        told,
        symbol=symbol,
        day=str(local_date(int(frame.ts[last]))),
        score=float(score[0]),
        probability=None if np.isnan(chance) else chance,
    )


def _last_row(frame: FeatureFrame, symbol: str, day: dt.date | None) -> int:
    """Return the place of a symbol's last row, of a day or of all."""
    rows = frame.of(symbol)
    if not len(rows):
        close = nearest(symbol, frame.symbols)
        raise Failure(
            f"there is no row of {symbol}",
            code=ExitCode.UNKNOWN_SYMBOL,
            where="--symbol",
            expected="a symbol of the universe with bars in the store",
            found=symbol,
            next_step=f"did you mean {close}?" if close else "tradingd data scan",
        )
    if day is None:
        return int(rows[-1])
    until = local_midnight_ns(day + dt.timedelta(days=1))
    that_day = rows[(frame.ts[rows] >= local_midnight_ns(day)) & (frame.ts[rows] < until)]
    if not len(that_day):
        ends = (local_date(int(frame.ts[one])) for one in (rows[0], rows[-1]))
        raise Failure(
            f"{symbol} has no bar on {day}",
            code=ExitCode.NO_DATA,
            where="--day",
            expected="a day with a bar in the store, within training.start and training.end",
            found=f"none; its bars are of {' to '.join(map(str, ends))}",
        )
    return int(that_day[-1])


def _told(asked: Asked, rows: int, shares: Floats, base: float, row: Floats | None) -> Explanation:
    sizes = np.abs(shares[:-1])
    total = float(sizes.sum()) or 1.0
    order = np.argsort(-sizes, kind="stable").tolist()
    return Explanation(
        model=asked.manifest.id,
        rows=rows,
        symbol="",
        day="",
        score=None,
        probability=None,
        base=base,
        features=tuple(
            FeatureShare(
                name=asked.manifest.names[one],
                value=_value(row, one),
                contribution=float(shares[one]),
                share=float(sizes[one]) / total,
            )
            for one in order
        ),
    )


def _value(row: Floats | None, column: int) -> float | None:
    return None if row is None or np.isnan(row[column]) else float(row[column])
