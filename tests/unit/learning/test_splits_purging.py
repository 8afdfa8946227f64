from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.config.training import WalkForward
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Dataset
from tradingd.learning.splits import combinatorial, paths, purged_k_fold, walk_forward
from tradingd.learning.splits.horizons import overlapping


def rows(ts, end, session, symbol=None):
    count = len(ts)
    nothing = np.zeros(count)
    return Dataset(
        names=("x",),
        universe=("A", "B", "C"),
        symbol=np.zeros(count, dtype=np.int64) if symbol is None else np.asarray(symbol),
        ts=np.asarray(ts, dtype=np.int64),
        end=np.asarray(end, dtype=np.int64),
        session=np.asarray(session, dtype=np.int64),
        x=nothing.reshape(-1, 1),
        y=nothing,
        gain=nothing,
        weight=np.ones(count),
    )


def daily(count, ahead):
    ts = np.arange(count)
    return rows(ts, ts + ahead, ts)


@st.composite
def datasets(draw):
    """Three symbols with holes, several bars a session, labels of any length."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    days, bars = draw(st.integers(12, 40)), draw(st.integers(1, 4))
    reach = draw(st.integers(1, 3 * bars))
    moments = (np.arange(days)[:, None] * 100 + np.arange(bars) * 7).ravel()
    ts, symbol = np.repeat(moments, 3), np.tile(np.arange(3), len(moments))
    end = ts + random.integers(1, 1 + reach * 100 // bars, len(ts))
    kept = random.random(len(ts)) < 0.8
    kept[np.unique(ts // 100, return_index=True)[1]] = True
    return rows(ts[kept], end[kept], ts[kept] // 100, symbol[kept])


def unless_refused(split):
    """Folds; none where the labels are too long for them, which must be refused as such."""
    try:
        return split()
    except Failure as failure:
        if failure.code is not ExitCode.EMPTY_RANGE:
            raise
        return []


def touching(dataset, some, others):
    """Brute force: whether any (ts, end] of the one overlaps any of the other."""
    first, last = dataset.ts[some][:, None], dataset.end[some][:, None]
    return (np.maximum(first, dataset.ts[others]) < np.minimum(last, dataset.end[others])).any(
        axis=1
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(dataset=datasets(), seed=st.integers(0, 10_000))
def test_overlaps_found_at_once_are_those_found_pair_by_pair(dataset, seed):
    random = np.random.default_rng(seed)
    picked = random.random(len(dataset)) < random.random()
    some, others = np.flatnonzero(~picked), np.flatnonzero(picked)
    np.testing.assert_array_equal(
        overlapping(dataset, some, others), touching(dataset, some, others)
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    dataset=datasets(),
    folds=st.integers(2, 6),
    tested=st.integers(1, 3),
    embargo=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_no_training_row_of_any_fold_overlaps_a_test_row(dataset, folds, tested, embargo):
    if tested >= folds:
        return
    for fold in unless_refused(lambda: combinatorial(dataset, folds, tested, embargo)):
        assert not touching(dataset, fold.train, fold.test).any()
        assert not np.isin(fold.train, fold.test).any()
        # No session is cut.
        assert not np.isin(dataset.session[fold.train], dataset.session[fold.test]).any()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    dataset=datasets(),
    train=st.integers(3, 8),
    validation=st.integers(3, 5),
    test=st.integers(1, 4),
    expanding=st.booleans(),
)
def test_no_row_of_a_walk_forward_overlaps_what_is_checked_or_predicted_later(
    dataset, train, validation, test, expanding
):
    config = WalkForward(train=train, validation=validation, test=test, expanding=expanding)
    found = unless_refused(lambda: walk_forward(dataset, config))
    for fold in found:
        assert not touching(dataset, fold.train, fold.validation).any()
        assert not touching(dataset, fold.train, fold.test).any()
        assert not touching(dataset, fold.validation, fold.test).any()
        assert dataset.session[fold.train].max() < dataset.session[fold.validation].min()
        assert dataset.session[fold.validation].max() < dataset.session[fold.test].min()
    predicted = np.concatenate([fold.test for fold in found] or [np.zeros(0, dtype=np.int64)])
    assert len(np.unique(predicted)) == len(predicted)
    sessions = np.unique(dataset.session[predicted])
    assert (np.diff(sessions) == 1).all()


def test_purging_drops_no_row_that_is_free():
    """Labels of one day touch nothing: then every row outside the test is learned from."""
    for fold in purged_k_fold(daily(40, 1), 4, 0):
        assert len(fold.train) == 30
    (step, *_) = walk_forward(daily(40, 1), WalkForward(train=20, validation=5, test=5))
    assert (len(step.train), len(step.validation), len(step.test)) == (20, 5, 5)


def test_labels_of_five_days_cost_four_rows_at_each_border():
    (step, *_) = walk_forward(daily(60, 5), WalkForward(train=20, validation=10, test=5))
    assert step.train.tolist() == list(range(16))
    assert step.validation.tolist() == list(range(20, 26))
    assert step.test.tolist() == list(range(30, 35))


def test_an_embargo_is_counted_from_the_end_of_the_last_tested_label():
    """100 days, labels of 3, second of four folds tested: days 25-49. The last label ends on 52.

    Rows 23 and 24 overlap the test; 50 and 51 too. Two per cent are two days: 52 and 53.
    """
    fold = purged_k_fold(daily(100, 3), 4, 2)[1]
    assert fold.train.tolist() == [*range(23), *range(54, 100)]


def test_an_embargo_of_a_part_of_a_day_is_a_day():
    fold = purged_k_fold(daily(100, 1), 4, 0.1)[0]
    assert fold.train.tolist() == list(range(26, 100))


def test_a_long_label_before_the_test_is_purged_though_rows_after_it_are_not():
    ts = np.arange(12)
    end = ts + 1
    end[0] = 6
    fold = purged_k_fold(rows(ts, end, ts), 3, 0)[1]
    assert fold.train.tolist() == [1, 2, 3, 8, 9, 10, 11]


def test_a_label_of_one_share_is_purged_by_the_test_of_another():
    ts = np.repeat(np.arange(9), 2)
    dataset = rows(ts, ts + 2, ts, np.tile([0, 1], 9))
    one_share = overlapping(dataset, np.flatnonzero(dataset.symbol == 0), np.array([9]))
    assert one_share.tolist() == [False, False, False, True, True, True, False, False, False]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(dataset=datasets(), groups=st.integers(3, 7), tested=st.integers(1, 3))
def test_every_path_predicts_every_row_once_by_a_fold_that_tests_it(dataset, groups, tested):
    if tested >= groups:
        return
    folds = unless_refused(lambda: combinatorial(dataset, groups, tested, 0))
    used = []
    for path in paths(dataset, groups, tested) if folds else ():
        covered = np.concatenate([part for _, part in path.parts])
        assert sorted(covered.tolist()) == list(range(len(dataset)))
        for number, part in path.parts:
            assert np.isin(part, folds[number].test).all()
            used.append((number, int(part[0])))
    # Each tested group of each fold is part of exactly one path.
    assert len(set(used)) == len(used) == len(folds) * tested


def test_windows_follow_each_other_and_an_expanding_one_keeps_its_start():
    config = WalkForward(train=10, validation=4, test=3, expanding=True)
    folds = walk_forward(daily(40, 1), config)
    assert all(fold.train[0] == 0 for fold in folds)
    assert [fold.number for fold in folds] == list(range(8))
    for one, other in pairwise(folds):
        assert other.test[0] == one.test[-1] + 1
        assert len(other.train) == len(one.train) + 3


def test_folds_of_a_part_of_the_rows_count_its_own_sessions():
    part = daily(100, 1).take(np.arange(60, 100))
    assert [fold.test.tolist()[0] for fold in purged_k_fold(part, 4, 0)] == [0, 10, 20, 30]


def test_too_few_sessions_are_refused_with_the_number_needed():
    with pytest.raises(Failure) as raised:
        walk_forward(daily(100, 1), WalkForward())
    assert raised.value.code is ExitCode.EMPTY_RANGE
    assert "336" in raised.value.expected
    assert raised.value.found == "100 sessions with 100 rows"


def test_labels_longer_than_the_windows_are_refused():
    with pytest.raises(Failure, match="no row left"):
        walk_forward(daily(100, 30), WalkForward(train=10, validation=5, test=5))
    with pytest.raises(Failure, match="no row to learn from"):
        purged_k_fold(daily(20, 40), 4, 1)
    with pytest.raises(Failure, match="no row to learn from"):
        combinatorial(daily(20, 1), 4, 4, 1)


def test_most_random_data_sets_are_split_and_not_refused():
    """The properties above would hold of splitters that refuse everything."""
    split = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        ts = np.repeat(np.arange(30) * 100, 3)
        dataset = rows(ts, ts + random.integers(1, 300, 90), ts // 100, np.tile(np.arange(3), 30))
        split += bool(unless_refused(lambda data=dataset: combinatorial(data, 5, 2, 1.0)))
    assert split == 20
