"""How far the latest days are from those a model learned from."""

from collections.abc import Mapping

import numpy as np

from tradingd.domain.manifest import DriftBins, DriftReference
from tradingd.learning.dataset import Dataset, Floats, Integers
from tradingd.luck import drift as luck
from tradingd.luck.drift import Reference, psi, reference

SESSIONS = 21
"""A month: one day's rows share that day's market, and differ from any training."""


def training_reference(dataset: Dataset, rows: Integers) -> Reference:
    """Return what the training rows looked like."""
    return reference(dataset.names, dataset.x[rows])


def latest_rows(dataset: Dataset, sessions: int = SESSIONS) -> Integers:
    """Return the rows of the last sessions."""
    numbers = np.unique(dataset.session)
    return np.flatnonzero(dataset.session >= numbers[-min(sessions, len(numbers))])


def drift(known: Reference, x: Floats) -> dict[str, float]:
    """Return the population stability index of every feature."""
    return psi(known, x)


def weighted(found: dict[str, float], names: tuple[str, ...], gain_shares: Floats) -> float:
    """Return the mean index, each feature counting by what the model's trees gained from it."""
    return luck.weighted(found, dict(zip(names, gain_shares.tolist(), strict=True)))


def as_manifest(known: Reference, weights: Mapping[str, float]) -> DriftReference:
    """Return a reference as a manifest keeps it, with what each feature's drift counts."""
    return DriftReference(
        rows=known.rows,
        features={
            one.name: DriftBins(
                edges=one.edges,
                shares=one.shares,
                missing=one.missing,
                weight=weights.get(one.name),
            )
            for one in known.columns
        },
    )
