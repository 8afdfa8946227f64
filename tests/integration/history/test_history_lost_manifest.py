"""History whose manifest was lost is never taken for leftovers."""

from pathlib import Path

import pytest

from tests.integration.history.history_samples import MINUTE_BARS, content, minute_bars
from tradingd.domain.market import DataKind
from tradingd.history.manifest import FILE_NAME
from tradingd.history.snapshot import restore, snapshot
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure


def write(store: Store, symbol: str = "SPY") -> None:
    with store.batch("test") as batch:
        batch.bars(MINUTE_BARS, symbol, minute_bars("2013-10-07T14:00:00", 10))


def parquet(store: Store) -> list[Path]:
    return sorted(store.root.glob("bars/**/*.parquet"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    write(store)
    return store


@pytest.mark.parametrize("left", [None, b"", b'{"at": "2013'], ids=["gone", "empty", "torn"])
def test_nothing_is_written_or_removed_where_the_manifest_is_lost(
    store: Store, left: bytes | None
) -> None:
    file = store.root / FILE_NAME
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    before = parquet(store)
    with pytest.raises(Failure) as refused:
        write(store, "NEW")
    assert refused.value.code is ExitCode.MANIFEST
    assert refused.value.found.startswith("1 Parquet file")
    assert "data restore" in refused.value.next_step
    assert parquet(store) == before


@pytest.mark.parametrize("use", [Store.contents, lambda one: snapshot(one, "s"), Store.connect])
def test_a_lost_manifest_is_no_empty_store_to_a_reader(store: Store, use: object) -> None:
    (store.root / FILE_NAME).unlink()
    assert callable(use)
    with pytest.raises(Failure) as refused:
        use(store)
    assert refused.value.code is ExitCode.MANIFEST


def test_a_restore_brings_a_store_back_whose_manifest_is_lost(store: Store) -> None:
    before = content(store)
    snapshot(store, "kept")
    (store.root / FILE_NAME).unlink()
    restore(store, "kept")
    assert content(store) == before
    write(store, "NEW")
    assert store.symbols(DataKind.BARS) == ["NEW", "SPY"]


def test_a_snapshot_whose_manifest_is_empty_does_not_empty_the_store(store: Store) -> None:
    kept = snapshot(store, "kept")
    (Path(kept.path) / FILE_NAME).write_bytes(b"")
    before = content(store)
    with pytest.raises(Failure) as refused:
        restore(store, "kept")
    assert refused.value.code is ExitCode.SNAPSHOT
    assert content(store) == before


def test_leftovers_of_a_first_import_that_was_killed_are_still_cleaned_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(KeyboardInterrupt), store.batch("test"):
        raise KeyboardInterrupt
    folder = store.root / "bars" / "resolution=1m" / "symbol=SPY" / "year=2013"
    folder.mkdir(parents=True)
    (folder / f"20131007T140000-{'0' * 16}.parquet").write_bytes(b"half")
    write(store)
    assert [path.name[:8] for path in parquet(store)] == ["20131007"]
    assert len(store.contents()) == 1
