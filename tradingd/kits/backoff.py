"""How long to wait before the next try: doubling up to a bound, jittered."""

import random
from collections.abc import Callable
from typing import Final

_DOUBLINGS: Final = 20
"""Enough for any bound; more would overflow a float some day."""


def jittered(
    attempt: int,
    *,
    first: float,
    longest: float,
    chance: Callable[[], float] = random.random,
) -> float:
    """Return half to all of a doubling wait, so that many clients do not come back at once.

    Parameters
    ----------
    attempt : int
        Waits before this one: 0 for the first.
    first, longest : float
        Seconds of the first wait, and of any at most.
    chance : Callable
        Uniform in [0, 1).
    """
    whole: float = min(longest, first * 2.0 ** min(attempt, _DOUBLINGS))
    return whole * (0.5 + 0.5 * chance())
