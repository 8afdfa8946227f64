import json

import numpy as np
import pytest

from tradingd.config.training import WalkForward
from tradingd.learning.dataset import Dataset
from tradingd.learning.splits import combinatorial, paths, walk_forward
from tradingd.learning.splits.folds import path_numbers

pytestmark = pytest.mark.real_data


def plain(count: int, ahead: int) -> Dataset:
    """One symbol, one row a session, labels that look so many rows ahead."""
    ts = np.arange(count, dtype=np.int64)
    nothing = np.zeros(count)
    return Dataset(
        names=("x",),
        universe=("A",),
        symbol=np.zeros(count, dtype=np.int64),
        ts=ts,
        end=ts + ahead,
        session=ts.copy(),
        x=nothing.reshape(-1, 1),
        y=nothing,
        gain=nothing,
        weight=np.ones(count),
    )


def words(text: str) -> dict[str, str]:
    return dict(word.split("=") for word in text.split() if "=" in word)


@pytest.fixture
def vectors(real_data):
    path = real_data / "oracles" / "skfolio_cv" / "skfolio_cv_vectors.json"
    return json.loads(path.read_text())


def test_combinatorial_splits_and_their_paths_are_those_of_skfolio(vectors):
    cases = [name for name in vectors if name.startswith("CPCV")]
    assert cases
    for name in cases:
        stated = {key: int(value) for key, value in words(name).items()}
        count, groups, chosen = stated["n"], stated["folds"], stated["k"]
        # A label of purge + 1 rows overlaps those of the next `purge` rows.
        dataset = plain(count, stated["purge"] + 1)
        folds = combinatorial(dataset, groups, chosen, 100 * stated["embargo"] / count)
        expected = vectors[name]
        assert len(folds) == expected["n_splits"], name
        assert path_numbers(groups, chosen).tolist() == expected["path_ids"], name
        assert len(paths(dataset, groups, chosen)) == expected["n_test_paths"], name
        for fold, split in zip(folds, expected["splits"], strict=False):
            assert fold.train.tolist() == split["train"], name
            assert fold.test.tolist() == sorted(row for part in split["test"] for row in part), name


def test_walk_forward_windows_are_those_of_skfolio(vectors):
    cases = [name for name in vectors if name.startswith("WF")]
    assert cases
    for name in cases:
        stated = words(name)
        purge = int(stated["purge"])
        # Skfolio moves the test by the purge; here the window reaches up to it and is purged.
        config = WalkForward(
            train=int(stated["train"]) + purge,
            validation=0,
            test=int(stated["test"]),
            expanding=stated["expand"] == "True",
        )
        folds = walk_forward(plain(int(stated["n"]), purge + 1), config)
        assert [
            {"train": fold.train.tolist(), "test": fold.test.tolist()} for fold in folds
        ] == vectors[name], name
