"""From which rank correlation on a feature's skill is implausible."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tradingd.learning.leak.outcomes import ANSWER, DURATION, GAIN, NEXT, SIZE, Outcomes
from tradingd.learning.leak.skill import Skill

type Question = tuple[str, bool]
"""An outcome, and whether it is the column's news that is asked about it."""

SURE: Final = 6.0
"""Least t statistic: among a thousand honest features none reaches it by luck."""
ABOVE_THE_REST: Final = 5.0
"""Times the skill that a quarter of the features stays below."""
LEAST_SPANS: Final = 10
"""Labels one after the other; of fewer, chance of a slow feature looks sure."""
LEAST_FEATURES: Final = 8
"""Features that a quarter of is taken from; of fewer, a leak or two would raise the bound."""

DAILY: Final[Mapping[Question, tuple[float, float]]] = {
    (NEXT, False): (0.15, 0.35),
    (NEXT, True): (0.15, 0.35),
    (GAIN, False): (0.25, 0.40),
    (GAIN, True): (0.15, 0.35),
    (ANSWER, False): (0.25, 0.40),
    (ANSWER, True): (0.15, 0.35),
    (SIZE, True): (0.30, 0.45),
    (DURATION, False): (0.70, 0.70),
}
"""Least level, and the level however good the other features are, for rows a day apart.

On 500 shares over three years honest features stay below 0.03 for the next day and 0.10 for the
label. Volatility foretells the size of moves honestly, so only its news is judged.
"""
INTRADAY_NEXT: Final = 0.32
INTRADAY_GAIN: Final = 0.55
"""Within a day the last trade lies at the bid or the ask, and quotes honestly foretell that it
comes back: up to 0.27 for the next minute of a share with a spread of a tick, 0.39 for a label of
one minute. Over h bars that one return is a part 1 / sqrt(h) of the label."""


def levels(ahead: Outcomes, skills: Sequence[Mapping[Question, Skill]]) -> dict[Question, float]:
    """Return the level of each question, given the skills of all features that are examined."""
    return {question: _level(question, ahead, skills) for question in DAILY}


def _level(
    question: Question, ahead: Outcomes, skills: Sequence[Mapping[Question, Skill]]
) -> float:
    if ahead.spans < LEAST_SPANS and question[0] in (GAIN, ANSWER, DURATION):
        return math.inf
    least, most = DAILY[question]
    if ahead.intraday and question[0] == NEXT:
        least = INTRADAY_NEXT
    if ahead.intraday and question[0] in (GAIN, ANSWER):
        least = max(least, INTRADAY_GAIN / np.sqrt(max(ahead.length, 1.0)))
    known = [abs(found[question].correlation) for found in skills if question in found]
    quarter = float(np.quantile(known, 0.25)) if len(known) >= LEAST_FEATURES else 0.0
    return float(max(least, min(ABOVE_THE_REST * quarter, most)))
