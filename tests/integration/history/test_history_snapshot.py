from pathlib import Path

import pytest

from tests.integration.history.history_samples import (
    MINUTE_BARS,
    content,
    daily_bars,
    files_on_disk,
    minute_bars,
)
from tradingd.domain.market import Resolution
from tradingd.history.compact import compact
from tradingd.history.integrity import verify
from tradingd.history.provenance import origins
from tradingd.history.scan import scan
from tradingd.history.snapshot import restore, snapshot, snapshots
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for day in (7, 8, 10):
        with store.batch("test") as batch:
            batch.bars(MINUTE_BARS, "SPY", minute_bars(f"2013-10-{day:02d}T14:00:00", 10))
    return store


def revise(store: Store) -> None:
    with store.batch("later") as batch:
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:00:00", 5, price=7))
        batch.bars(MINUTE_BARS, "NEW", minute_bars("2013-10-07T14:00:00", 5))


@pytest.mark.parametrize("elsewhere", [False, True], ids=["links in the store", "copies elsewhere"])
def test_a_restore_brings_back_exactly_what_the_snapshot_saw(
    store: Store, tmp_path: Path, elsewhere: bool
) -> None:
    place = tmp_path / "backup" if elsewhere else None
    before = content(store)
    kept = snapshot(store, "before", place)
    assert (kept.files, kept.rows) == (3, 30)
    assert snapshots(store, place) == ["before"]
    links = {path.stat().st_nlink for path in Path(kept.path).rglob("*.parquet")}
    assert links == ({1} if elsewhere else {2})
    revise(store)
    assert content(store) != before
    restore(store, "before", place)
    assert content(store) == before
    assert files_on_disk(store) == [one.path for one in store.contents().files()]
    assert verify(store.root, store.contents().files()) == []


def test_a_restore_refuses_as_a_whole_when_one_file_of_the_snapshot_is_damaged(
    store: Store, tmp_path: Path
) -> None:
    kept = snapshot(store, "before", tmp_path / "backup")
    revise(store)
    after = content(store)
    victim = sorted(Path(kept.path).rglob("*.parquet"))[1]
    changed = bytearray(victim.read_bytes())
    changed[100] ^= 1
    victim.write_bytes(changed)
    with pytest.raises(Failure, match="nothing was changed") as refusal:
        restore(store, "before", tmp_path / "backup")
    assert refusal.value.code is ExitCode.SNAPSHOT
    assert content(store) == after


def test_a_restore_repairs_a_damaged_file_and_a_damaged_manifest(
    store: Store, tmp_path: Path
) -> None:
    before = content(store)
    snapshot(store, "before", tmp_path / "backup")
    path = store.root / store.contents().files()[0].path
    path.write_bytes(path.read_bytes()[:50])
    restore(store, "before", tmp_path / "backup")
    assert content(store) == before
    (store.root / "manifest.jsonl").write_bytes(b"not json\n{}\n")
    with pytest.raises(Failure) as refusal:
        store.contents()
    assert refusal.value.code is ExitCode.UNREADABLE_INPUT
    restore(store, "before", tmp_path / "backup")
    assert content(store) == before


@pytest.mark.parametrize("name", ["before", "../out", "missing"])
def test_a_taken_a_wandering_and_an_unknown_name_are_refused(store: Store, name: str) -> None:
    snapshot(store, "before")
    with pytest.raises(Failure) as refusal:
        (restore if name == "missing" else snapshot)(store, name)
    assert refusal.value.code is ExitCode.SNAPSHOT


def test_a_snapshot_of_a_damaged_store_is_refused(store: Store) -> None:
    path = store.root / store.contents().files()[0].path
    path.unlink()
    with pytest.raises(Failure) as refusal:
        snapshot(store, "bad")
    assert refusal.value.code is ExitCode.SNAPSHOT
    assert snapshots(store) == []


def test_compaction_unites_files_and_keeps_the_rows(store: Store) -> None:
    before = content(store)
    done = compact(store)
    assert (done.partitions, done.files_before, done.files_after) == (1, 3, 1)
    assert content(store) == before
    assert compact(store).partitions == 0


def test_a_scan_counts_sessions_present_and_missing(store: Store) -> None:
    [found] = scan(store, SessionCalendar())
    # Monday, Tuesday, Thursday; Wednesday the 9th is missing
    assert (found.symbol, found.rows, found.sessions, found.sessions_missing) == ("SPY", 30, 3, 1)
    assert found.first == "2013-10-07T14:00:00Z"
    assert found.last == "2013-10-10T14:09:00Z"


def test_verification_names_what_changed_and_what_is_gone(store: Store) -> None:
    first, second, _ = store.contents().files()
    path = store.root / first.path
    content_of = bytearray(path.read_bytes())
    content_of[60] ^= 1
    path.write_bytes(content_of)
    (store.root / second.path).unlink()
    damage = {one.path: one.problem for one in verify(store.root, store.contents().files())}
    assert damage == {
        first.path: "its content changed since it was written",
        second.path: "missing",
    }


def test_a_restore_brings_back_where_the_rows_came_from(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.batch("first", verdict="clean", note="why") as batch:
        batch.bars(Resolution.DAY, "SPY", daily_bars(["2013-10-07", "2013-10-08"], ["1", "2"]))
    before = origins(store.root, "SPY")
    snapshot(store, "kept")
    with store.batch("second") as batch:
        batch.bars(Resolution.DAY, "SPY", daily_bars(["2013-10-08", "2013-10-09"], ["5", "6"]))
    assert [(one.source, one.rows) for one in origins(store.root, "SPY")] == [
        ("first", 1),
        ("second", 2),
    ]
    restore(store, "kept")
    assert origins(store.root, "SPY") == before
    assert (before[0].verdict, before[0].note, before[0].rows) == ("clean", "why", 2)
