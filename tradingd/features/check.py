"""Prove of every feature of a set that it may be trusted, yours included.

Four proofs on bars you choose: bar by bar equals all at once, nothing is seen before its time,
splits change nothing, the memory it states is enough. What its values look like and what they cost
stands beside them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from tradingd.features.batch import compute
from tradingd.features.digest import kind_of
from tradingd.features.feature_set import FeatureSet
from tradingd.features.moments import Moments
from tradingd.features.proofs import (
    Problem,
    prove_live,
    prove_memory,
    prove_splits,
    prove_truncation,
    single,
)
from tradingd.features.report import ColumnFacts, describe
from tradingd.features.series import Floats, Series
from tradingd.kits.failure import ExitCode, Failure

CUTS: Final = 12
"""Times after which the bars are cut off, and as many before which they are."""

_PROOFS: Final = 4
_WARM_UP_SHARE: Final = 4
"""The first quarter of the bars is left to the warm-up when cuts are chosen."""


class FeatureCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one feature.

    Parameters
    ----------
    memory : int
        Bars it needs before one, that of what it needs included.
    memory_proved : bool
        Whether there were bars enough to prove that.
    values : ColumnFacts
        Of the rows after `memory` bars of their symbol.
    batch_us, live_us : float
        Microseconds for one bar of one symbol.
    """

    name: str
    kind: str
    memory: int
    memory_proved: bool
    values: ColumnFacts
    batch_us: float
    live_us: float
    problems: tuple[Problem, ...]


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `check`; `proofs` counts those that were made."""

    hash: str
    bars: str
    symbols: tuple[str, ...]
    rows: int
    cuts: int
    proofs: int
    features: tuple[FeatureCheck, ...]

    @property
    def problems(self) -> int:
        """How many features failed a proof."""
        return sum(bool(one.problems) for one in self.features)


def check(
    feature_set: FeatureSet,
    series: Sequence[Series],
    *,
    cuts: int = CUTS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    clock: Callable[[], float] = time.perf_counter,
) -> CheckReport:
    """Prove every feature, each by itself: one that raises spoils no other.

    Parameters
    ----------
    series : sequence of Series
        Bars of some symbols, the benchmark's where one is referred to.
    cuts : int
        How many times the bars are cut off after, and before; chosen by `seed`, the last bar but
        one and the last always among them.

    Raises
    ------
    Failure
        NO_DATA when there are too few bars for a cut.
    """
    chosen = sorted(series, key=lambda one: one.symbol)
    stamps = np.unique(np.concatenate([one.ts for one in chosen])) if chosen else np.empty(0)
    if len(stamps) < _WARM_UP_SHARE:
        raise Failure(
            "too few bars to check features on",
            code=ExitCode.NO_DATA,
            expected=f"{_WARM_UP_SHARE} moments at least, better some hundred",
            found=str(len(stamps)),
            next_step="more symbols, or an earlier start",
        )
    times = _times(stamps, cuts, seed)
    plain = Moments(chosen)
    found = []
    for done, name in enumerate(feature_set.names, start=1):
        alone = single(feature_set, name)
        found.append(_check_one(alone, name, plain, times, clock))
        progress(done, len(feature_set))
    return CheckReport(
        hash=feature_set.hash,
        bars=feature_set.bars,
        symbols=tuple(one.symbol for one in chosen),
        rows=sum(len(one) for one in chosen),
        cuts=len(times),
        proofs=_PROOFS * len(found),
        features=tuple(found),
    )


def _times(stamps: Floats, cuts: int, seed: int) -> list[int]:
    dice = np.random.Generator(np.random.PCG64(seed))
    later = stamps[len(stamps) // _WARM_UP_SHARE :]
    picked = dice.choice(later, min(cuts, len(later)), replace=False)
    return [int(one) for one in np.unique(np.append(picked, stamps[-2:]))]


def _check_one(
    alone: FeatureSet,
    name: str,
    moments: Moments,
    times: Sequence[int],
    clock: Callable[[], float],
) -> FeatureCheck:
    series = moments.series
    problems: list[Problem] = []
    rows = sum(len(one) for one in series)
    # Once before the clock runs: libraries are imported at the first use.
    values = _values(alone, name, series, problems)
    began = clock()
    if not problems:
        compute(alone, series, threads=1)
    batch_us = (clock() - began) / rows * 1e6
    live_us = 0.0
    if not problems:
        began = clock()
        _attempt(problems, "live", lambda: prove_live(moments, alone, name))
        live_us = max((clock() - began) / rows * 1e6 - batch_us, 0.0)
        _attempt(problems, "truncation", lambda: prove_truncation(series, alone, name, times))
        _attempt(problems, "split", lambda: prove_splits(series, alone, name))
        _attempt(problems, "memory", lambda: prove_memory(series, alone, name, times))
    (facts,) = describe((name,), values[:, None])
    problems += _told(facts)
    return FeatureCheck(
        name=name,
        kind=kind_of(alone.columns[alone.names.index(name)]),
        memory=alone.memory,
        memory_proved=max(len(one) for one in series) > alone.memory + 1,
        values=facts,
        batch_us=batch_us,
        live_us=live_us,
        problems=tuple(problems),
    )


def _values(
    alone: FeatureSet, name: str, series: Sequence[Series], problems: list[Problem]
) -> Floats:
    """Return what the batch gives after the warm-up of each symbol."""
    try:
        frame = compute(alone, series, threads=1)
    except Exception as error:  # noqa: BLE001 - your class may raise anything; it is told
        problems.append(_raised("batch", error))
        return np.empty(0)
    column = frame.x[:, frame.names.index(name)]
    warm = [frame.of(symbol)[alone.memory :] for symbol in frame.symbols]
    return np.asarray(column[np.concatenate(warm)])


def _attempt(problems: list[Problem], proof: str, make: Callable[[], Problem | None]) -> None:
    try:
        found = make()
    except Exception as error:  # noqa: BLE001 - as above
        found = _raised(proof, error)
    if found is not None:
        problems.append(found)


def _raised(proof: str, error: Exception) -> Problem:
    return Problem(proof=proof, why=f"raises {type(error).__name__}: {error}")


def _told(facts: ColumnFacts) -> Iterator[Problem]:
    if facts.infinite:
        yield Problem(proof="values", why="some are infinite", rows=facts.infinite)
