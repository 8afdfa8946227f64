"""Whether the rows of late still look like those the model was trained on."""

from collections import deque
from typing import Final

import numpy as np

from tradingd.luck.drift import Reference, psi, psi_by_chance
from tradingd.serving.predictors import Floats

_DAY_NS: Final = 86_400_000_000_000
DAYS: Final = 63
"""Most days that are looked at, a quarter: in fewer a quiet month alone would be drift."""
LEAST_DAYS: Final = 5


class DriftWatch:
    """Measures drift once a day, on rows of the last days.

    Parameters
    ----------
    reference : Reference
        The training rows.
    rows : int
        Most rows kept of a day, chosen evenly at random, and the least it takes to measure.
    seed : int
        Of that choice.

    Attributes
    ----------
    found : dict
        Feature -> population stability index, as last measured; empty before.
    """

    def __init__(self, reference: Reference, rows: int, *, seed: int = 0) -> None:
        self.found: dict[str, float] = {}
        self._reference = reference
        self._most = max(rows, 1)
        self._chance: dict[str, float] = {}
        self._random = np.random.default_rng(seed)
        self._days: deque[Floats] = deque(maxlen=DAYS)
        self._today = np.empty((self._most, len(reference.columns)))
        self._seen = 0
        self._day = 0

    def take(self, ts: int, row: Floats) -> None:
        """Take a row of a bar that closed at `ts`; the first of a new day measures those before."""
        day = ts // _DAY_NS
        if day != self._day:
            self._turn()
            self._day = day
        if self._seen < self._most:
            self._today[self._seen] = row
        else:
            # Vitter (1985), algorithm R: every row of the day is kept with the same chance.
            place = int(self._random.integers(self._seen + 1))
            if place < self._most:
                self._today[place] = row
        self._seen += 1

    def worst(self, limit: float) -> tuple[str, float] | None:
        """Return the feature that drifted farthest past the limit; None when none did.

        An index that so few rows show by chance is no drift.
        """
        beyond = {
            name: value
            for name, value in self.found.items()
            if value > max(limit, self._chance.get(name, 0.0))
        }
        if not beyond:
            return None
        name = max(beyond, key=lambda one: beyond[one])
        return name, beyond[name]

    def _turn(self) -> None:
        kept = min(self._seen, self._most)
        if kept:
            self._days.append(self._today[:kept].copy())
        self._seen = 0
        rows = sum(map(len, self._days))
        if len(self._days) >= LEAST_DAYS and rows >= self._most:
            self.found = psi(self._reference, np.concatenate(self._days))
            self._chance = psi_by_chance(self._reference, rows)
