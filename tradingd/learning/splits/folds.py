"""Purged k-fold and combinatorial purged cross-validation.

Source: M. Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 7 (purged k-fold
with embargo) and chapter 12 (combinatorial purged cross-validation and its backtest paths).
"""

from itertools import combinations
from math import comb

import msgspec
import numpy as np

from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Dataset, Fold, Integers
from tradingd.learning.splits.horizons import embargoed, overlapping


class Path(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One way through the whole history: each of its groups predicted by one fold.

    `parts` holds, in time order, the number of the fold and the rows it predicts for this path.
    """

    number: int
    parts: tuple[tuple[int, Integers], ...]


def purged_k_fold(dataset: Dataset, folds: int, embargo_percent: float) -> list[Fold]:
    """Cut the sessions into `folds` stretches; each is tested once, by what is learned elsewhere.

    Rows whose label overlaps one of the test are not learned from, nor rows within the embargo
    after it. `validation` is empty.

    Raises
    ------
    Failure
        `EMPTY_RANGE` if there are fewer sessions than folds, or nothing is left to learn from.
    """
    return combinatorial(dataset, folds, 1, embargo_percent)


def combinatorial(
    dataset: Dataset, groups: int, test_groups: int, embargo_percent: float
) -> list[Fold]:
    """Cut the sessions into `groups` stretches and test every choice of `test_groups` of them.

    Folds are in lexicographic order of their test groups; `paths` puts their predictions together.
    Each stretch of the test is purged and followed by an embargo of its own.

    Raises
    ------
    Failure
        `EMPTY_RANGE` if there are fewer sessions than groups, no group is left to learn from, or
        labels reach so far ahead that purging leaves nothing.
    """
    parts = _parts(dataset, groups, test_groups)
    rows = np.arange(len(dataset))
    touched = [overlapping(dataset, rows, part) for part in parts]
    barred = [embargoed(dataset, rows, part, embargo_percent) for part in parts]
    found = []
    for number, chosen in enumerate(combinations(range(groups), test_groups)):
        unusable = np.zeros(len(dataset), dtype=np.bool_)
        for group in chosen:
            unusable |= touched[group] | barred[group]
            unusable[parts[group]] = True
        train = rows[~unusable]
        if not len(train):
            raise _nothing_left(dataset, groups, test_groups)
        found.append(
            Fold(
                number=number,
                train=train,
                validation=rows[:0],
                test=np.sort(np.concatenate([parts[group] for group in chosen])),
            )
        )
    return found


def paths(dataset: Dataset, groups: int, test_groups: int) -> tuple[Path, ...]:
    """Return the backtest paths of `combinatorial`: each covers every row exactly once.

    There are C(groups, test_groups) x test_groups / groups of them. Path j takes each group from
    the j-th fold that tests it.
    """
    parts = _parts(dataset, groups, test_groups)
    identities = path_numbers(groups, test_groups)
    taken: list[dict[int, int]] = [{} for _ in range(int(identities.max()) + 1)]
    for fold, chosen in enumerate(combinations(range(groups), test_groups)):
        for place, group in enumerate(chosen):
            taken[identities[fold, place]][group] = fold
    return tuple(
        Path(
            number=number,
            parts=tuple((folds[group], parts[group]) for group in range(groups)),
        )
        for number, folds in enumerate(taken)
    )


def path_numbers(groups: int, test_groups: int) -> Integers:
    """Return which path each tested group of each fold belongs to, shape (folds, test_groups)."""
    seen = [0] * groups
    numbers = np.empty((comb(groups, test_groups), test_groups), dtype=np.int64)
    for fold, chosen in enumerate(combinations(range(groups), test_groups)):
        for place, group in enumerate(chosen):
            numbers[fold, place] = seen[group]
            seen[group] += 1
    return numbers


def _parts(dataset: Dataset, groups: int, test_groups: int) -> list[Integers]:
    """Return the rows of each group; the last one takes the sessions that are left over."""
    numbers, session = np.unique(dataset.session, return_inverse=True)
    if test_groups >= groups or len(numbers) < groups:
        raise _nothing_left(dataset, groups, test_groups)
    rows = np.arange(len(dataset))
    group = np.minimum(session // (len(numbers) // groups), groups - 1)
    return [rows[group == number] for number in range(groups)]


def _nothing_left(dataset: Dataset, groups: int, test_groups: int) -> Failure:
    return Failure(
        f"{groups} groups of sessions with {test_groups} tested at once leave no row to learn from",
        code=ExitCode.EMPTY_RANGE,
        where="training.tuning.folds, training.combinatorial",
        expected="groups longer than the label looks ahead, and at least one that is not tested",
        found=f"{len(np.unique(dataset.session))} sessions, {len(dataset)} rows",
        next_step="take more days, fewer groups, or lower training.label.bars",
    )
