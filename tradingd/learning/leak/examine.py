"""The examination of all features, with a canary among them."""

from typing import Final

import msgspec
import numpy as np

from tradingd.kits.failure import Failure
from tradingd.learning.dataset import Dataset, Floats, Integers
from tradingd.learning.leak.canary import NOISE, PEEK, planted
from tradingd.learning.leak.levels import DAILY, SURE, Question, levels
from tradingd.learning.leak.outcomes import GAIN, NEXT, Outcomes, mid_ranks, outcomes
from tradingd.learning.leak.skill import Judge, Skill, binned
from tradingd.learning.report import Leak
from tradingd.learning.splits.folds import purged_k_fold

FOLDS: Final = 4
EMBARGO_PERCENT: Final = 1.0
MOST_ROWS: Final = 150_000
"""Rows examined; of more, whole symbols are left out, then sessions."""
LEAST_SYMBOLS: Final = 20


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Parameters
    ----------
    noticed : bool
        Whether the planted column that peeks was found out, and the planted noise was not. If not,
        silence about the others means nothing.
    canary : str
        That in words, with numbers.
    leaks : tuple of Leak
        Features that look as if they knew the future, worst first.
    constant : tuple of str
        Features with one value, or none, on all rows: nothing can be learned from them, and if
        they change later nothing is known about it.
    """

    noticed: bool
    canary: str
    leaks: tuple[Leak, ...]
    constant: tuple[str, ...]


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's skill at every outcome, by itself and by its news."""

    feature: str
    persistence: float
    lagged: float
    skills: dict[Question, Skill]


def examine(dataset: Dataset, seed: int) -> Examination:
    """Examine every feature of a data set for knowledge of the future.

    Each is asked, alone and out of fold, what it says of the next bar, of the label and of its
    end: as it is, and by its news - what of it did not follow from its value one bar earlier. An
    average that looks one bar too far loses little of its persistence to the eye, but its news is
    tomorrow's return. A feature is named where such a rank correlation is beyond what honest
    features reach, far above that of the other features, and sure.

    Parameters
    ----------
    dataset : Dataset
        Rows to be trained on, sorted by time. About 0.04 s a feature.
    seed : int
        Of the planted columns.
    """
    constant = tuple(
        name for number, name in enumerate(dataset.names) if _constant(dataset.x[:, number])
    )
    sample = planted(_sample(dataset, seed), seed)
    try:
        folds = purged_k_fold(sample, FOLDS, EMBARGO_PERCENT)
    except Failure as failure:
        return Examination(noticed=False, canary=f"not examined: {failure.what}", leaks=(),
                           constant=constant)  # fmt: skip
    ahead = outcomes(sample)
    judge = Judge(sample, folds, ahead.length)
    readings = {
        name: _read(name, sample.x[:, number], ahead, judge)
        for number, name in enumerate(sample.names)
        if name not in constant
    }
    others = [reading for name, reading in readings.items() if name not in (PEEK, NOISE)]
    bounds = levels(ahead, [reading.skills for reading in others])
    found = [leak for reading in others if (leak := _suspect(reading, bounds))]
    peek, noise = (_suspect(readings[name], bounds) for name in (PEEK, NOISE))
    return Examination(
        noticed=peek is not None and noise is None,
        canary=_canary_words(readings, peek, noise),
        leaks=tuple(sorted(found, key=lambda leak: (-leak.skill, leak.feature))),
        constant=constant,
    )


def _read(name: str, column: Floats, ahead: Outcomes, judge: Judge) -> _Reading:
    ranks = mid_ranks(column)
    lagged = np.where(ahead.before >= 0, ranks[ahead.before], np.nan)
    persistence = _persistence(ranks, lagged)
    news = mid_ranks(ranks - persistence * lagged)
    asked = {question: ahead.ranks[question[0]] for question in DAILY if question[0] in ahead.ranks}
    skills: dict[Question, Skill] = {}
    for by_news, said in ((False, ranks), (True, news)):
        answers = {one: outcome for one, outcome in asked.items() if one[1] == by_news}
        skills |= judge.skills(binned(said), answers)
    late = judge.skills(binned(lagged), {NEXT: ahead.ranks[NEXT]})[NEXT]
    return _Reading(feature=name, persistence=persistence, lagged=late.correlation, skills=skills)


def _persistence(ranks: Floats, lagged: Floats) -> float:
    """Return the slope of a column's ranks on those of its symbol's bar before."""
    both = ~(np.isnan(ranks) | np.isnan(lagged))
    scale = float(np.square(lagged[both]).sum())
    return float((ranks[both] * lagged[both]).sum()) / scale if scale > 0 else 0.0


def _suspect(reading: _Reading, bounds: dict[Question, float]) -> Leak | None:
    """Return the leak that the most implausible of a feature's skills shows."""
    over = {
        key: skill.correlation / bounds[key]
        for key, skill in reading.skills.items()
        if skill.correlation >= bounds[key] and skill.t >= SURE
    }
    if not over:
        return None
    worst = max(over, key=lambda key: over[key])
    return Leak(
        feature=reading.feature,
        why=_why(reading, worst, bounds[worst]),
        skill=round(reading.skills[worst].correlation, 4),
    )


def _why(reading: _Reading, key: Question, level: float) -> str:
    outcome, by_news = key
    skill = reading.skills[key]
    who = "its news of each bar foretells" if by_news else "it foretells"
    words = (
        f"{who} {outcome} with an out-of-fold rank correlation of {skill.correlation:.3f}"
        f" (t {skill.t:.0f}); the bound is {level:.2f}"
    )
    now = reading.skills.get((NEXT, False))
    if outcome == NEXT and now:
        explained = abs(reading.persistence) * now.correlation
        words += (
            f"; one bar later it says {reading.lagged:.3f} instead of {now.correlation:.3f},"
            f" where its persistence of {reading.persistence:.2f} explains {explained:.3f}"
        )
    return words


def _canary_words(readings: dict[str, _Reading], peek: Leak | None, noise: Leak | None) -> str:
    seen, heard = (readings[name].skills[GAIN, False] for name in (PEEK, NOISE))
    if peek is not None:
        words = f"a planted column that half knows the future was noticed: {peek.why}"
    else:
        words = (
            "a planted column that half knows the future was NOT noticed (rank correlation"
            f" {seen.correlation:.3f}, t {seen.t:.1f}): silence about the others means nothing"
        )
    words += f". Planted noise has {heard.correlation:.3f} (t {heard.t:.1f})"
    return words + (" and was taken for a leak" if noise is not None else "")


def _constant(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return not len(known) or bool((known == known[0]).all())


def _sample(dataset: Dataset, seed: int) -> Dataset:
    """Return all rows, or those of some symbols and sessions."""
    if len(dataset) <= MOST_ROWS:
        return dataset
    share = MOST_ROWS / len(dataset)
    symbols = np.unique(dataset.symbol)
    count = min(max(int(len(symbols) * share), LEAST_SYMBOLS), len(symbols))
    chosen = np.random.default_rng(seed).choice(symbols, count, replace=False)
    part = dataset.take(np.isin(dataset.symbol, chosen))
    return part.take(_stretches(part.session, MOST_ROWS / max(len(part), 1)))


def _stretches(session: Integers, share: float) -> Integers:
    """Return rows of about this share of the sessions, in stretches over the whole time."""
    numbers, place = np.unique(session, return_inverse=True)
    if share >= 1:
        return np.arange(len(session))
    stretch = max(1, len(numbers) // 10)
    return np.flatnonzero(place % stretch < max(1, int(stretch * share)))
