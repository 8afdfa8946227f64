"""What libraries want to know of rows beyond features and labels."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Floats, Integers

GRADES: Final = 10
"""Grades of relevance a ranking learns from: tenths of the rows of a moment."""


def monotone_signs(monotone: Mapping[str, int], names: Sequence[str]) -> list[int]:
    """Return 1, -1 or 0 (free) for each feature.

    Raises
    ------
    Failure
        CONFIG: a constraint names no feature.
    """
    for name in monotone:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            raise Failure(
                "a monotone constraint names a feature that is not in the set",
                code=ExitCode.CONFIG,
                where=f"training.learner.monotone.{name}",
                expected=f"one of {len(names)} features" + (f", e.g. {close[0]}" if close else ""),
                found=name,
                next_step="tradingd features show",
            )
    return [monotone.get(name, 0) for name in names]


def group_sizes(ts: Integers) -> Integers:
    """Return how many rows each moment has, in the order of time; rows are sorted by it."""
    edges = np.flatnonzero(np.diff(ts, prepend=ts[0] - 1)) if len(ts) else np.array([], np.int64)
    return np.diff(edges, append=len(ts))


def grades(y: Floats, sizes: Integers) -> Integers:
    """Return each row's grade among the rows of its moment, 0 (least) to 9; ties share one.

    Ranking objectives learn from small whole numbers, not from returns.
    """
    moment = np.repeat(np.arange(len(sizes)), sizes)
    below, tied = _counts_within(moment, y)
    share = (below + (tied - 1) / 2 + 0.5) / sizes[moment]
    return np.minimum((share * GRADES).astype(np.int64), GRADES - 1)


def centred_ranks(ts: Integers, values: Floats) -> Floats:
    """Return each row's rank among the rows of its moment, from -0.5 to 0.5; ties share one.

    A row alone in its moment, and all rows of equal value, get 0.
    """
    _, moment, sizes = np.unique(ts, return_inverse=True, return_counts=True)
    below, tied = _counts_within(moment, values)
    size = sizes[moment]
    return (below + (tied - 1) / 2) / np.maximum(size - 1, 1) - np.where(size > 1, 0.5, 0.0)


def _counts_within(group: Integers, values: Floats) -> tuple[Integers, Integers]:
    """Return how many rows of its group lie below each row, and how many equal it, itself too."""
    order = np.lexsort((values, group))
    ordered_group, ordered = group[order], values[order]
    new_group = np.diff(ordered_group, prepend=-1) != 0
    new_value = new_group | (np.diff(ordered, prepend=np.nan) != 0)
    place = np.arange(len(values))
    group_start = np.maximum.accumulate(np.where(new_group, place, 0))
    run = np.cumsum(new_value) - 1
    run_start = place[new_value]
    run_length = np.diff(run_start, append=len(values))
    below, tied = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    below[order] = run_start[run] - group_start
    tied[order] = run_length[run]
    return below, tied
