"""Columns that are planted to see whether they are found out."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.leak.outcomes import mid_ranks

PEEK: Final = "CANARY_PEEK"
NOISE: Final = "CANARY_NOISE"
STRENGTH: Final = 0.7
"""Correlation of the peeking column with the gain: half of what happens. Tomorrow's return has 0.45
with that of five days, and all of it with the next bar's, where the examination looks too."""
MARGIN: Final = 0.04
"""What it must add to the score: an area under the curve of 0.50 becomes one of about 0.75."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an evaluation scores a model with the peeking column better than one with noise."""

    noticed: bool
    with_peek: float
    with_noise: float
    words: str


def prove(dataset: Dataset, evaluate: Callable[[Dataset], float], seed: int) -> Proof:
    """Run the evaluation that judges models twice: with a column that peeks, and with noise.

    Parameters
    ----------
    evaluate : callable
        Returns the out-of-sample score of the learner on a data set; higher is better, an area
        under the curve or a rank correlation.
    """
    both = planted(dataset, seed)
    peek = evaluate(_without(both, NOISE))
    noise = evaluate(_without(both, PEEK))
    noticed = bool(peek - noise >= MARGIN)
    return Proof(
        noticed=noticed,
        with_peek=peek,
        with_noise=noise,
        words=(
            f"the evaluation {'noticed' if noticed else 'did NOT notice'} a planted column that"
            f" half knows the future: score {peek:.3f} with it, {noise:.3f} with noise"
        ),
    )


def planted(dataset: Dataset, seed: int) -> Dataset:
    """Return the data set with two more columns: one that half knows the gain, and noise."""
    random = np.random.default_rng(seed)
    columns = [dataset.x, _peeking(dataset.gain, random), random.normal(size=len(dataset))]
    return msgspec.structs.replace(
        dataset, names=(*dataset.names, PEEK, NOISE), x=np.column_stack(columns)
    )


def _peeking(gain: Floats, random: np.random.Generator) -> Floats:
    # Ranks from -0.5 to 0.5 have a deviation of 1 / sqrt(12).
    known = mid_ranks(gain) * np.sqrt(12)
    return np.asarray(
        STRENGTH * known + np.sqrt(1 - STRENGTH**2) * random.normal(size=len(gain)),
        dtype=np.float64,
    )


def _without(dataset: Dataset, name: str) -> Dataset:
    kept = [number for number, other in enumerate(dataset.names) if other != name]
    return msgspec.structs.replace(
        dataset,
        names=tuple(dataset.names[number] for number in kept),
        x=np.ascontiguousarray(dataset.x[:, kept]),
    )
