"""Whether the rows of late still look like those the model was trained on."""

from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from tradingd.luck.drift import Reference, psi, psi_by_chance, weighted, worst
from tradingd.serving.predictors import Floats

_DAY_NS: Final = 86_400_000_000_000


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement.

    Parameters
    ----------
    index : float
        The features' mean population stability index, by their share of the model's gain.
    chance : float
        What so few rows show when nothing has changed (99th percentile): less is no drift.
    worst : tuple of (str, float)
        Features that add most to it, with their own index.
    rows, sessions : int
        It was measured on.
    """

    index: float
    chance: float
    worst: tuple[tuple[str, float], ...]
    rows: int
    sessions: int

    def beyond(self, limit: float) -> bool:
        """Whether it is more than the limit and more than chance."""
        return self.index > max(limit, self.chance)

    def told(self, limit: float) -> str:
        """Return it in words."""
        names = ", ".join(f"{name} {value:.2f}" for name, value in self.worst)
        return f"PSI {self.index:.2f} of {max(limit, self.chance):.2f} allowed; most by {names}"


class DriftWatch:
    """Measures drift once a day, on rows of the last days.

    Parameters
    ----------
    reference : Reference
        The training rows.
    weights : mapping
        Feature -> share of the model's gain; alike where none is known.
    sessions : int
        How many days are looked at, and the least it takes.
    rows : int
        Most rows kept of a day, chosen evenly at random.
    seed : int
        Of that choice.

    Attributes
    ----------
    found : Drift, optional
        As last measured; None before.
    features : dict
        Feature -> population stability index, as last measured.
    """

    def __init__(
        self,
        reference: Reference,
        weights: Mapping[str, float | None],
        *,
        sessions: int,
        rows: int,
        seed: int = 0,
    ) -> None:
        self.found: Drift | None = None
        self.features: dict[str, float] = {}
        self._reference = reference
        self._weights = weights
        self._random = np.random.default_rng(seed)
        self._days: deque[Floats] = deque(maxlen=sessions)
        self._today = np.empty((rows, len(reference.columns)))
        self._seen = 0
        self._day = 0

    @property
    def days(self) -> int:
        """How many whole days it has rows of."""
        return len(self._days)

    def take(self, ts: int, row: Floats) -> None:
        """Take a row of a bar that closed at `ts`; the first of a new day measures those before."""
        day = ts // _DAY_NS
        if day != self._day:
            self._turn()
            self._day = day
        most = len(self._today)
        if self._seen < most:
            self._today[self._seen] = row
        else:
            # Vitter (1985), algorithm R: every row of the day is kept with the same chance.
            place = int(self._random.integers(self._seen + 1))
            if place < most:
                self._today[place] = row
        self._seen += 1

    def _turn(self) -> None:
        kept = min(self._seen, len(self._today))
        self._seen = 0
        if kept:
            self._days.append(self._today[:kept].copy())
        if len(self._days) == self._days.maxlen:
            self._measure(np.concatenate(self._days))

    def _measure(self, x: Floats) -> None:
        self.features = psi(self._reference, x)
        self.found = Drift(
            index=weighted(self.features, self._weights),
            chance=weighted(psi_by_chance(self._reference, len(x)), self._weights),
            worst=worst(self.features, self._weights),
            rows=len(x),
            sessions=len(self._days),
        )
