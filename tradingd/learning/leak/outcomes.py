"""What a feature that knows the future would know, derived from the rows alone."""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.learning.dataset import Dataset, Floats, Integers

NEXT: Final = "the return to the next bar"
GAIN: Final = "the return to the label's end"
ANSWER: Final = "the label"
SIZE: Final = "the size of the next bar's move"
DURATION: Final = "the bars until its label ends"

_VARIES: Final = 0.05
"""Share of rows whose label must last unlike the most frequent, before durations say anything."""


class Outcomes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Ranks of each row's future, and which row came before it.

    Parameters
    ----------
    ranks : dict of str to array of float
        Mid-ranks from -0.5 to 0.5; 0 where an outcome is unknown.
    before : array of int
        Number of the same symbol's row before; -1 for its first.
    length : float
        Mean moments from a row to its label's end.
    spans : float
        Labels of that length that fit into the whole time one after the other.
    intraday : bool
        Whether symbols have several rows a session.
    """

    ranks: dict[str, Floats]
    before: Integers
    length: float
    spans: float
    intraday: bool


def outcomes(dataset: Dataset) -> Outcomes:
    """Return what lies ahead of each row.

    Two neighbouring rows of a symbol have gains that differ by the return from the one to the
    other, which the first cannot know, and by what happens between their ends, which is further
    off: the difference reveals a feature of the next bar however far the label looks.
    """
    before, after = _neighbours(dataset.symbol)
    ahead = np.where(after >= 0, dataset.gain - dataset.gain[after], np.nan)
    moments = np.unique(np.concatenate((dataset.ts, dataset.end)))
    length = np.searchsorted(moments, dataset.end) - np.searchsorted(moments, dataset.ts)
    mean = float(length.mean()) if len(length) else 0.0
    found = {
        NEXT: mid_ranks(ahead),
        GAIN: mid_ranks(dataset.gain),
        ANSWER: mid_ranks(dataset.y),
        SIZE: mid_ranks(np.abs(ahead)),
    }
    if len(length) and np.unique(length, return_counts=True)[1].max() < (1 - _VARIES) * len(length):
        found[DURATION] = mid_ranks(length.astype(np.float64))
    return Outcomes(
        ranks={name: np.nan_to_num(rank, nan=0.0) for name, rank in found.items()},
        before=before,
        length=mean,
        spans=len(moments) / max(mean, 1.0),
        intraday=bool((dataset.session[before] == dataset.session)[before >= 0].any()),
    )


def mid_ranks(values: Floats) -> Floats:
    """Return ranks scaled to (-0.5, 0.5), equal values sharing their mean; nan stays nan."""
    known: NDArray[np.bool_] = ~np.isnan(values)
    ranks = np.full(len(values), np.nan)
    if not known.any():
        return ranks
    _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    ranks[known] = middle[inverse] / known.sum() - 0.5
    return ranks


def _neighbours(symbol: Integers) -> tuple[Integers, Integers]:
    """Return the same symbol's row before and after each row, -1 for none."""
    order = np.argsort(symbol, kind="stable")
    same = symbol[order[1:]] == symbol[order[:-1]]
    before, after = np.full(len(symbol), -1), np.full(len(symbol), -1)
    before[order[1:][same]] = order[:-1][same]
    after[order[:-1][same]] = order[1:][same]
    return before, after
