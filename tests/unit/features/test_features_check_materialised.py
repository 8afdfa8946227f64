"""Computed features on disk: whole, idempotent, brought up to date, anew when they must."""

import functools
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from tests.unit.features import feature_bars
from tradingd.config.features import FeaturesConfig
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.materialise import folder_of, materialise
from tradingd.features.moments import between
from tradingd.features.series import Series
from tradingd.kits.failure import ExitCode, Failure

OWN = {
    "ema": {"kind": "ema_ratio", "bars": 5},
    "step": {"kind": "return"},
    "far": {"kind": "return", "bars": 30},
}
ACROSS = {"rank": {"kind": "rank", "of": "step"}, "beta": {"kind": "beta", "bars": 20}}


def compiled(declared: dict[str, dict[str, object]]) -> FeatureSet:
    config = FeaturesConfig(bars="1d", benchmark="SPY", declared=declared)
    return compile_features(config, calendar=feature_bars.CALENDAR)


SETS = {"own": compiled(OWN), "across": compiled(OWN | ACROSS)}


@pytest.fixture(params=SETS)
def chosen(request: pytest.FixtureRequest) -> FeatureSet:
    return SETS[request.param]


@functools.cache
def bars(count: int = 400) -> list[Series]:
    stamps = feature_bars.daily_stamps(400)
    return between(feature_bars.market(stamps, seed=8), 0, int(stamps[count - 1]))


def stored(root: Path, chosen: FeatureSet, symbol: str) -> dict[str, np.ndarray]:
    folder = folder_of(root, chosen) / "resolution=1d" / f"symbol={symbol}"
    table = pq.read_table(folder).sort_by("ts_event")
    return {name: table[name].to_numpy() for name in table.column_names if name != "symbol"}


def assert_holds(root: Path, chosen: FeatureSet, given: list[Series]) -> None:
    frame = compute(chosen, given)
    for one in given:
        found = stored(root, chosen, one.symbol)
        assert (found["ts_event"].astype(np.int64) == one.ts).all()
        rows = frame.of(one.symbol)
        for index, name in enumerate(chosen.names):
            np.testing.assert_allclose(
                found[name], frame.x[rows, index], rtol=1e-9, atol=1e-12, err_msg=name
            )


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_all_features_of_all_bars_are_kept(tmp_path, chosen):
    done = materialise(tmp_path, chosen, bars())
    assert_holds(tmp_path, chosen, bars())
    rows = sum(len(one) for one in bars())
    assert (done.rows, done.rows_new, done.symbols, done.files, done.rebuilt) == (
        rows,
        rows,
        4,
        4,
        0,
    )


def test_a_second_time_changes_no_byte(tmp_path, chosen):
    materialise(tmp_path, chosen, bars())
    before = contents(tmp_path)
    again = materialise(tmp_path, chosen, bars())
    assert contents(tmp_path) == before
    assert (again.rows_new, again.rebuilt) == (0, 0)


def test_the_same_bars_give_the_same_bytes_elsewhere(tmp_path, chosen):
    for name in ("one", "two"):
        materialise(tmp_path / name, chosen, bars(100))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_new_bars_are_appended_and_equal_those_of_one_go(tmp_path, chosen):
    for count in (300, 301, 350, 400):
        before = contents(tmp_path)
        done = materialise(tmp_path, chosen, bars(count))
        parts = {name for name in before if name.endswith(".parquet")}
        assert parts <= contents(tmp_path).keys()
        assert done.rebuilt == 0
        assert_holds(tmp_path, chosen, bars(count))
    assert done.files > 4


def test_an_update_leaves_the_files_before_as_they_are(tmp_path, chosen):
    materialise(tmp_path, chosen, bars(399))
    moved = folder_of(tmp_path, chosen) / "resolution=1d" / "symbol=AAA"
    (path,) = moved.glob("*.parquet")
    before = path.read_bytes()
    materialise(tmp_path, chosen, bars(400))
    assert path.read_bytes() == before


def test_many_small_updates_become_one_file(tmp_path, chosen):
    for count in range(386, 400):
        materialise(tmp_path, chosen, bars(count))
    done = materialise(tmp_path, chosen, bars(400))
    assert done.files <= 4 * 12
    assert_holds(tmp_path, chosen, bars(400))
    folder = folder_of(tmp_path, chosen)
    assert len(list(folder.rglob("*.parquet"))) == done.files


def revised(series: list[Series], symbol: str) -> list[Series]:
    found = []
    for one in series:
        close = one.close.copy()
        close[50] *= 1.01
        found.append(msgspec.structs.replace(one, close=close) if one.symbol == symbol else one)
    return found


def test_a_revised_bar_begins_its_symbol_anew(tmp_path, chosen):
    materialise(tmp_path, chosen, bars(300))
    new = revised(bars(300), "BBB")
    done = materialise(tmp_path, chosen, new)
    assert done.rebuilt == (4 if chosen is SETS["across"] else 1)
    assert_holds(tmp_path, chosen, new)
    assert len(list(folder_of(tmp_path, chosen).rglob("*.parquet"))) == 4


def test_a_symbol_more_changes_the_others_only_where_symbols_are_compared(tmp_path, chosen):
    few = [one for one in bars(300) if one.symbol != "CCC"]
    materialise(tmp_path, chosen, few)
    done = materialise(tmp_path, chosen, bars(300))
    assert done.rebuilt == (3 if chosen is SETS["across"] else 0)
    assert_holds(tmp_path, chosen, bars(300))


def test_a_symbol_that_is_not_asked_for_stays_where_none_is_compared(tmp_path):
    chosen = SETS["own"]
    materialise(tmp_path, chosen, bars(300))
    materialise(tmp_path, chosen, bars(310)[:1])
    assert len(stored(tmp_path, chosen, "BBB")["step"]) == len(bars(300)[1])


def test_what_a_killed_update_left_is_removed_and_made_again(tmp_path, chosen):
    materialise(tmp_path, chosen, bars(300))
    place = folder_of(tmp_path, chosen) / "resolution=1d" / "symbol=AAA"
    (place / "20150101T000000-0123456789abcdef.parquet").write_bytes(b"torn")
    (place / ".20150101T000000.parquet.77.partial").write_bytes(b"torn")
    materialise(tmp_path, chosen, bars(310))
    assert_holds(tmp_path, chosen, bars(310))
    assert len(list(place.iterdir())) == 2


def test_another_set_has_a_folder_of_its_own(tmp_path):
    for one in SETS.values():
        materialise(tmp_path, one, bars(100))
    assert len(list((tmp_path / "features").iterdir())) == 2


def test_a_damaged_manifest_is_refused_and_nothing_is_lost(tmp_path, chosen):
    materialise(tmp_path, chosen, bars(100))
    path = folder_of(tmp_path, chosen) / "manifest.json"
    path.write_text('{"hash":')
    before = contents(tmp_path)
    with pytest.raises(Failure) as refused:
        materialise(tmp_path, chosen, bars(110))
    assert refused.value.code is ExitCode.UNREADABLE_INPUT
    assert contents(tmp_path) == before


def test_two_updates_at_once_are_refused(tmp_path, chosen):
    folder = folder_of(tmp_path, chosen)
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"), pytest.raises(Failure) as refused:
        materialise(tmp_path, chosen, bars(100))
    assert refused.value.code is ExitCode.STORE_LOCKED
