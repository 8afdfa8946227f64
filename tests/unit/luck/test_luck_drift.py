import json

import msgspec
import numpy as np
import pytest
from scipy import stats

from tradingd.luck.drift import (
    Reference,
    ks,
    ks_by_chance,
    psi,
    psi_by_chance,
    reference,
    weighted,
    worst,
)

NAMES = ("normal", "weekday", "holes")


def table(rows: int, seed: int = 1, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.column_stack(
        [rng.normal(shift, 1, rows), rng.integers(0, 5, rows), rng.normal(0, 1, rows)]
    ).astype(float)
    x[: rows // 10, 2] = np.nan
    return x


def test_the_rows_of_the_reference_have_not_changed():
    x = table(2_000)
    known = reference(NAMES, x)
    assert known.names == NAMES
    assert psi(known, x) == pytest.approx(dict.fromkeys(NAMES, 0.0), abs=1e-12)
    assert ks(known, x) == pytest.approx(dict.fromkeys(NAMES, 0.0), abs=1e-12)


def test_the_index_is_that_of_its_definition_over_ten_equal_bins():
    old = np.arange(1.0, 1_001.0)
    new = np.concatenate([np.arange(1.0, 1_001.0), np.full(1_000, 950.0)])
    # Half of the new rows stand in the last bin: 0.55 there, 0.05 in the nine others.
    expected = 9 * (0.05 - 0.1) * np.log(0.05 / 0.1) + (0.55 - 0.1) * np.log(0.55 / 0.1)
    found = psi(reference(("a",), old[:, None]), new[:, None])
    assert found["a"] == pytest.approx(expected, rel=1e-12)


def test_what_goes_missing_is_drift():
    known = reference(("a",), np.random.default_rng(3).normal(size=(1_000, 1)))
    gone = np.random.default_rng(3).normal(size=(1_000, 1))
    gone[::2] = np.inf
    assert psi(known, gone)["a"] > 0.25
    assert psi(known, np.full((5, 1), np.nan))["a"] > 5
    assert ks(known, np.full((5, 1), np.nan))["a"] == 0.0


def test_a_column_that_was_always_missing_drifts_once_it_is_there():
    known = reference(("a",), np.full((50, 1), np.nan))
    assert psi(known, np.full((5, 1), np.nan))["a"] == 0.0
    assert psi(known, np.ones((5, 1)))["a"] > 5


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_of_distributions_is_scipys_to_the_spacing_of_the_points(seed):
    rng = np.random.default_rng(seed)
    old, new = rng.normal(size=3_000), rng.normal(0.3, 1.4, size=700)
    found = ks(reference(("a",), old[:, None]), new[:, None])["a"]
    assert found == pytest.approx(stats.ks_2samp(old, new).statistic, abs=1 / 128)


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_is_exact_for_columns_of_few_values(seed):
    rng = np.random.default_rng(seed)
    old = rng.integers(0, 5, 900).astype(float)
    for new in (rng.integers(1, 4, 300).astype(float), rng.integers(0, 9, 300) / 2 - 1):
        found = ks(reference(("a",), old[:, None]), new[:, None])["a"]
        assert found == pytest.approx(stats.ks_2samp(old, new).statistic, abs=1e-12)


def test_a_constant_that_moves_either_way_is_at_full_distance():
    known = reference(("a",), np.full((50, 1), 2.0))
    assert ks(known, np.full((9, 1), 3.0))["a"] == 1.0
    assert ks(known, np.full((9, 1), 1.0))["a"] == 1.0
    assert psi(known, np.full((9, 1), 2.0))["a"] == 0.0


def test_one_unchanged_sample_in_a_hundred_exceeds_what_chance_gives():
    known = reference(NAMES, table(20_000))
    chance, distance = psi_by_chance(known, 500), ks_by_chance(known, 500)
    above = dict.fromkeys(NAMES, 0)
    farther = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        rows = table(20_000, seed=2)[rng.choice(20_000, 500, replace=False)]
        for name, value in psi(known, rows).items():
            above[name] += value > chance[name]
        farther += ks(known, rows)["normal"] > distance
    assert all(count <= 16 for count in above.values()), above
    assert any(count >= 1 for count in above.values()), above
    assert farther <= 16


def test_the_chance_is_the_quantile_of_chi_square():
    x = np.random.default_rng(0).normal(size=(5_000, 1))
    found = psi_by_chance(reference(("a",), x), 250)["a"]
    assert found == pytest.approx(stats.chi2.ppf(0.99, 9) * (1 / 5_000 + 1 / 250), rel=0.01)


def test_a_shift_is_found_and_a_same_population_is_not():
    known = reference(NAMES, table(5_000))
    assert max(psi(known, table(5_000, seed=9)).values()) < 0.02
    shifted = psi(known, table(5_000, seed=9, shift=1.0))
    assert shifted["normal"] > 0.25 > shifted["weekday"]


def test_a_reference_survives_json():
    known = reference(NAMES, table(500))
    told = msgspec.json.encode(known)
    assert "NaN" not in told.decode()
    assert json.loads(told)["rows"] == 500
    assert msgspec.json.decode(told, type=Reference) == known


def test_tables_of_another_shape_are_refused():
    known = reference(NAMES, table(50))
    with pytest.raises(ValueError, match=r"\(rows, 3\)"):
        psi(known, table(50)[:, :2])
    with pytest.raises(ValueError, match="at least one row"):
        ks(known, np.empty((0, 3)))
    with pytest.raises(ValueError, match="names"):
        reference(("a",), table(50))


def test_the_mean_index_counts_each_column_by_its_weight():
    found = {"a": 0.4, "b": 0.1, "c": 0.1}
    assert weighted(found, {"a": 0.5, "b": 0.25, "c": 0.25}) == pytest.approx(0.25)
    assert weighted(found, {"a": 0.0, "b": 2.0, "c": 1.0}) == pytest.approx(0.1)
    assert weighted(found, {"a": 1.0, "b": None}) == pytest.approx(0.4)


def test_columns_without_weights_count_alike():
    found = {"a": 0.4, "b": 0.1, "c": 0.1}
    assert weighted(found, {}) == pytest.approx(0.2)
    assert weighted(found, {"a": None, "b": None}) == pytest.approx(0.2)
    assert weighted(found, dict.fromkeys("abc", 0.0)) == pytest.approx(0.2)


def test_the_worst_columns_are_those_that_add_most():
    found = {"a": 0.4, "b": 0.3, "c": 0.1}
    assert worst(found, {}, 2) == (("a", 0.4), ("b", 0.3))
    assert worst(found, {"a": 0.1, "b": 0.2, "c": 0.7}, 2) == (("c", 0.1), ("b", 0.3))
