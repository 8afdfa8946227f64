"""Proofs about one feature: what each of them compares.

A proof returns the problem it found, or None. Values are equal when they differ by no more than
1e-12 + 1e-9 of their size, or are both nan.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.features.batch import compute
from tradingd.features.feature import CrossFeature
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.moments import Moments, Split, between, scaled, warm_start
from tradingd.features.series import Floats, Series

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
OVER_A_SPLIT: Final = 1e-10
"""In place of 1e-12: in other units prices round otherwise, by 1e-16 of a price, which is 1e-12 of
a bar's range of a tick or two."""
_SPLITS: Final = ((3, 1), (1, 7), (5, 2))
"""Shares after and before: what symbols are split by, in turn; none is a power of two."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof found: at how many rows, and the first of them.

    `expected` and `found` are None where there is no value.
    """

    proof: str
    why: str
    rows: int = 0
    symbol: str = ""
    ts: int = 0
    expected: float | None = None
    found: float | None = None


def single(feature_set: FeatureSet, name: str) -> FeatureSet:
    """Return the set of one feature and of those it needs, in the order of their names."""
    wanted, open_ones = set[str](), [name]
    while open_ones:
        one = open_ones.pop()
        wanted.add(one)
        feature = feature_set.columns[feature_set.names.index(one)]
        if isinstance(feature, CrossFeature):
            open_ones += [need for need in feature.needs if need in feature_set.names]
    names = tuple(sorted(wanted))
    order = [feature_set.names[index] for index in feature_set.order]
    return msgspec.structs.replace(
        feature_set,
        names=names,
        columns=tuple(feature_set.columns[feature_set.names.index(one)] for one in names),
        order=tuple(names.index(one) for one in order if one in wanted),
        memory=memory_of(feature_set, name),
    )


def memory_of(feature_set: FeatureSet, name: str) -> int:
    """Return the memory of a feature, that of what it needs included."""
    feature = feature_set.columns[feature_set.names.index(name)]
    needs = feature.needs if isinstance(feature, CrossFeature) else ()
    inner = [memory_of(feature_set, need) for need in needs if need in feature_set.names]
    return feature.memory + max(inner, default=0)


def prove_live(moments: Moments, feature_set: FeatureSet, name: str) -> Problem | None:
    """Compare bar by bar with all at once."""
    frame = compute(feature_set, moments.series, threads=1)
    return compare(
        "live",
        "the value bar by bar is not that of the batch",
        frame,
        _column(frame, name),
        moments.walk(feature_set, name),
    )


def prove_splits(series: Sequence[Series], feature_set: FeatureSet, name: str) -> Problem | None:
    """Split every symbol once on the way, and restate all prices: nothing may change."""
    cuts = {
        one.symbol: Split(len(one) // 2 + number % 3, *_SPLITS[number % len(_SPLITS)])
        for number, one in enumerate(series)
        if len(one) > 4
    }
    moments = Moments(series, cuts)
    frame = compute(feature_set, moments.series, threads=1)
    found = compare(
        "split",
        "the value bar by bar over a split is not that of restated bars",
        frame,
        _column(frame, name),
        moments.walk(feature_set, name),
        OVER_A_SPLIT,
    )
    if found is not None:
        return found
    # A different scale for each symbol, by powers of two: no digit changes.
    units = [scaled(one, 2.0 ** (3 - number % 6)) for number, one in enumerate(series)]
    other = compute(feature_set, units, threads=1)
    frame = compute(feature_set, series, threads=1)
    return compare(
        "split",
        "the value depends on the unit of prices and volumes: a later split would change it",
        frame,
        _column(frame, name),
        _column(other, name),
    )


def prove_truncation(
    series: Sequence[Series], feature_set: FeatureSet, name: str, cuts: Sequence[int]
) -> Problem | None:
    """Leave out everything after a time: nothing up to it may change."""
    frame = compute(feature_set, series, threads=1)
    values = _column(frame, name)
    for cut in cuts:
        shorter = between(series, 0, cut)
        if not _complete(feature_set, shorter):
            continue
        seen = compute(feature_set, shorter, threads=1)
        known = frame.ts <= cut
        problem = compare(
            "truncation",
            "the value changes with bars after it: it knows the future",
            seen,
            _column(seen, name),
            values[known],
        )
        if problem is not None:
            return problem
    return None


def prove_memory(
    series: Sequence[Series], feature_set: FeatureSet, name: str, times: Sequence[int]
) -> Problem | None:
    """Start no earlier than `memory` bars before a time: its values may not change."""
    frame = compute(feature_set, series, threads=1)
    values = _column(frame, name)
    for ts in times:
        shorter = _remembered(series, feature_set, ts)
        if not _complete(feature_set, shorter):
            continue
        seen = compute(feature_set, shorter, threads=1)
        now, then = seen.ts == ts, frame.ts == ts
        problem = compare(
            "memory",
            f"{feature_set.memory} bars before it are not enough for the value of a long history",
            _at(seen, now),
            values[then],
            _column(seen, name)[now],
        )
        if problem is not None:
            return problem
    return None


def compare(
    proof: str,
    why: str,
    frame: FeatureFrame,
    expected: Floats,
    found: Floats,
    absolute: float = ABSOLUTE,
) -> Problem | None:
    """Return the first of the rows at which two computations differ."""
    unlike = differing(expected, found, absolute)
    if not unlike.any():
        return None
    row = int(np.argmax(unlike))
    return Problem(
        proof=proof,
        why=why,
        rows=int(unlike.sum()),
        symbol=frame.symbols[frame.symbol[row]],
        ts=int(frame.ts[row]),
        expected=_told(expected[row]),
        found=_told(found[row]),
    )


def differing(expected: Floats, found: Floats, absolute: float = ABSOLUTE) -> NDArray[np.bool_]:
    """Tell where two arrays differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        near = np.abs(expected - found) <= absolute + RELATIVE * np.abs(expected)
    same = near | (expected == found) | (np.isnan(expected) & np.isnan(found))
    return np.asarray(~same)


def _told(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _column(frame: FeatureFrame, name: str) -> Floats:
    return frame.x[:, frame.names.index(name)]


def _at(frame: FeatureFrame, rows: NDArray[np.bool_]) -> FeatureFrame:
    return msgspec.structs.replace(frame, ts=frame.ts[rows], symbol=frame.symbol[rows])


def _remembered(series: Sequence[Series], feature_set: FeatureSet, ts: int) -> list[Series]:
    """Return what the memory before a time holds: of each symbol, or of those it compares."""
    if feature_set.order:
        return between(series, warm_start(series, feature_set, ts), ts)
    return [
        part for one in series for part in between([one], warm_start([one], feature_set, ts), ts)
    ]


def _complete(feature_set: FeatureSet, series: Sequence[Series]) -> bool:
    """Whether there is something to compute from, the benchmark where one is referred to."""
    refers = any(one.refers_to_benchmark for _, one in feature_set.crosses())
    symbols = {one.symbol for one in series}
    return bool(symbols) and (not refers or feature_set.benchmark in symbols)
