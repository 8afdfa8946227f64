import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.history.crash_driver import JOBS
from tests.integration.history.history_samples import content, files_on_disk
from tradingd.history.compact import compact
from tradingd.history.integrity import verify
from tradingd.history.snapshot import restore
from tradingd.history.store import Store

REPOSITORY = Path(__file__).resolve().parents[3]


type Effort = tuple[int, int]
"""How many random moments, and the step between the file operations to die at."""

EFFORTS = pytest.mark.parametrize(
    "effort",
    [
        pytest.param((3, 9), id="sampled"),
        pytest.param((25, 1), id="every file operation", marks=pytest.mark.slow),
    ],
)


def killed_stores(job: str, base: Path, effort: Effort) -> tuple[list[Path], int]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.integration.history.crash_driver",
            job,
            str(base),
            *map(str, effort),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return [base / name for name in report["roots"]], report["points"]


def assert_sound(store: Store) -> None:
    contents = store.contents()
    assert verify(store.root, contents.files()) == []
    assert files_on_disk(store) == [one.path for one in contents.files()]


@EFFORTS
def test_an_import_killed_anywhere_leaves_a_readable_store_that_the_next_run_completes(
    tmp_path: Path, effort: Effort
) -> None:
    roots, points = killed_stores("import", tmp_path, effort)
    undisturbed = content(Store(tmp_path / "undisturbed"))
    assert points > 30  # the driver really stopped at many file operations
    for root in roots:
        store = Store(root)
        before = content(store)
        assert len(before["SPY 1m bars"]) >= 300, root
        with store.connect() as connection:
            assert connection.execute("SELECT count(*) FROM bars").fetchone() is not None
        JOBS["import"][1](root)
        assert content(store) == undisturbed, root
        assert_sound(store)


@EFFORTS
def test_a_compaction_killed_anywhere_changes_no_row(tmp_path: Path, effort: Effort) -> None:
    roots, points = killed_stores("compact", tmp_path, effort)
    undisturbed = content(Store(tmp_path / "undisturbed"))
    assert points > 10
    for root in roots:
        store = Store(root)
        assert content(store) == undisturbed, root
        compact(store)
        assert content(store) == undisturbed, root
        assert len(store.contents()) == 2, root
        assert_sound(store)


@EFFORTS
def test_a_restore_killed_anywhere_leaves_the_old_or_the_new_content(
    tmp_path: Path, effort: Effort
) -> None:
    roots, points = killed_stores("restore", tmp_path, effort)
    restored = content(Store(tmp_path / "undisturbed"))
    JOBS["restore"][0](tmp_path / "old")
    old = content(Store(tmp_path / "old"))
    assert points > 5
    for root in roots:
        store = Store(root)
        assert content(store) in (old, restored), root
        restore(store, "before")
        assert content(store) == restored, root
        assert_sound(store)


def test_a_rename_that_no_manifest_line_names_is_removed_and_its_rows_come_back_once(
    tmp_path: Path,
) -> None:
    prepare, import_all = JOBS["import"]
    prepare(tmp_path)
    known = Store(tmp_path).contents().files()[0]
    orphan = (tmp_path / known.path).with_name("20131230T150000-0123456789abcdef.parquet")
    shutil.copyfile(tmp_path / known.path, orphan)
    by_hand = orphan.with_name("mine.parquet")
    shutil.copyfile(tmp_path / known.path, by_hand)
    assert len(content(Store(tmp_path))["SPY 1m bars"]) == 300
    import_all(tmp_path)
    assert not orphan.exists()
    assert by_hand.exists()  # not named by us, so not ours to delete


@pytest.mark.parametrize("cut", [1, 40, 200], ids=lambda cut: f"{cut} bytes missing")
def test_a_torn_last_line_of_the_manifest_counts_as_absent(tmp_path: Path, cut: int) -> None:
    prepare, import_all = JOBS["import"]
    for root in (tmp_path / "torn", tmp_path / "whole"):
        prepare(root)
        import_all(root)
    manifest = tmp_path / "torn" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-cut])
    store = Store(tmp_path / "torn")
    assert len(content(store)["SPY 1m bars"]) >= 300
    import_all(store.root)
    assert content(store) == content(Store(tmp_path / "whole"))
    assert_sound(store)
