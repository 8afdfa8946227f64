"""Compare what a session's model was shown and said with the same rows computed from the store."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.app.model_parity_splits import Splits
from tradingd.features.frame import FeatureFrame
from tradingd.features.proofs import ABSOLUTE, RELATIVE
from tradingd.features.series import Floats, Integers
from tradingd.serving.predictors import Predictor


class Recorded(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows that one model was asked with: `score` is what it said then, nan where it abstained.

    `symbols` has one name a row; `x` has the shape (rows, features).
    """

    symbols: Sequence[str]
    ts: Integers
    score: Floats
    x: Floats

    def __len__(self) -> int:
        return len(self.ts)


class FeatureParity(msgspec.Struct, frozen=True, kw_only=True):
    """How a feature of the session compares with the same one computed from the store.

    `outside` counts rows where they differ by more than rtol 1e-9 and atol 1e-12, `differ` those
    that differ at all; `worst` is the largest difference, as a share of that tolerance.
    """

    name: str
    outside: int
    differ: int
    worst: float


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold of the model that lies between the two values of a feature."""

    feature: str
    threshold: float
    session: float
    store: float


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose prediction differs end to end; `near` explains it, where anything does."""

    symbol: str
    ts: int
    at: dt.datetime
    session: float
    store: float
    near: tuple[Near, ...]
    explained: bool


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of one model show.

    Parameters
    ----------
    rows : int
        Recorded rows of which the store has the bar.
    absent : int
        Those of which it has none.
    features : tuple of FeatureParity
        Only those that differ at all.
    predictions : int
        Rows with a score.
    repeats_differ : int
        Predictions that the model, asked again with the recorded row, does not repeat bit for bit.
    differences : tuple of Difference
        Predictions that the row from the store changes.
    splits_known : bool
        Whether the model says in the open where its trees part.
    """

    rows: int
    absent: int
    features: tuple[FeatureParity, ...]
    predictions: int
    repeats_differ: int
    differences: tuple[Difference, ...]
    splits_known: bool

    @property
    def outside(self) -> int:
        """Return how many values are outside the tolerance."""
        return sum(one.outside for one in self.features)

    @property
    def unexplained(self) -> int:
        """Return how many differing predictions have no near threshold."""
        return sum(not one.explained for one in self.differences)


def compare(
    recorded: Recorded, frame: FeatureFrame, predictor: Predictor, splits: Splits | None
) -> Compared:
    """Compare every recorded row with the row of the same bar in `frame`."""
    places = _places(recorded, frame)
    found = np.flatnonzero(places >= 0)
    ours = Recorded(
        symbols=[recorded.symbols[row] for row in found.tolist()],
        ts=recorded.ts[found],
        score=recorded.score[found],
        x=recorded.x[found],
    )
    theirs = frame.x[places[found]]
    beyond = _beyond(ours.x, theirs)
    said = np.flatnonzero(np.isfinite(ours.score))
    offline = np.full(len(ours), np.nan)
    offline[said] = predictor.many(theirs[said])
    close = (beyond <= 1.0).all(axis=1)
    return Compared(
        rows=len(ours),
        absent=len(recorded) - len(ours),
        features=_features(frame.names, beyond),
        predictions=len(said),
        repeats_differ=_not_repeated(predictor, ours.x[said], ours.score[said]),
        differences=tuple(
            _difference(
                ours,
                row,
                offline[row],
                () if splits is None else _near(frame.names, splits, ours.x[row], theirs[row]),
                close=bool(close[row]),
            )
            for row in said[_other_bits(ours.score[said], offline[said])]
        ),
        splits_known=splits is not None,
    )


def _not_repeated(predictor: Predictor, x: Floats, score: Floats) -> int:
    """Count scores that the same row does not give again, alone or among others."""
    alone = np.array([predictor.one(row) for row in x])
    again = _other_bits(score, alone) | _other_bits(score, predictor.many(x))
    return int(np.count_nonzero(again))


def _places(recorded: Recorded, frame: FeatureFrame) -> Integers:
    """Return the row of `frame` that each recorded row should equal, -1 where there is none."""
    found = np.full(len(recorded), -1, np.int64)
    symbols = np.array(recorded.symbols, dtype=object)
    for symbol in sorted(set(recorded.symbols)):
        mine = np.flatnonzero(symbols == symbol)
        rows = frame.of(symbol)
        if not len(rows):
            continue
        stamps = frame.ts[rows]
        place = np.minimum(np.searchsorted(stamps, recorded.ts[mine]), len(rows) - 1)
        same = stamps[place] == recorded.ts[mine]
        found[mine[same]] = rows[place[same]]
    return found


def _beyond(ours: Floats, theirs: Floats) -> Floats:
    """Return every difference as a share of the tolerance: 0 same bits, above 1 outside."""
    with np.errstate(invalid="ignore", over="ignore"):
        shares = np.abs(ours - theirs) / (ABSOLUTE + RELATIVE * np.abs(theirs))
    shares[np.isnan(ours) & np.isnan(theirs)] = 0.0
    shares[ours == theirs] = 0.0
    shares[np.isnan(shares)] = np.inf
    result: Floats = shares
    return result


def _features(names: Sequence[str], beyond: Floats) -> tuple[FeatureParity, ...]:
    return tuple(
        FeatureParity(
            name=name,
            outside=int(np.count_nonzero(column > 1.0)),
            differ=int(np.count_nonzero(column)),
            worst=float(column.max()),
        )
        for name, column in zip(names, beyond.T, strict=True)
        if column.any()
    )


def _other_bits(one: Floats, other: Floats) -> NDArray[np.bool_]:
    differs: NDArray[np.bool_] = one.view(np.int64) != other.view(np.int64)
    return differs


def _difference(
    recorded: Recorded, row: int, offline: float, near: tuple[Near, ...], *, close: bool
) -> Difference:
    ts = int(recorded.ts[row])
    return Difference(
        symbol=recorded.symbols[row],
        ts=ts,
        at=dt.datetime.fromtimestamp(ts // 1_000_000_000, dt.UTC),
        session=float(recorded.score[row]),
        store=float(offline),
        near=near,
        explained=close and bool(near),
    )


def _near(names: Sequence[str], splits: Splits, ours: Floats, theirs: Floats) -> tuple[Near, ...]:
    return tuple(
        Near(feature=name, threshold=threshold, session=float(one), store=float(other))
        for number, (name, one, other) in enumerate(zip(names, ours, theirs, strict=True))
        if (threshold := splits.between(number, float(one), float(other))) is not None
    )
