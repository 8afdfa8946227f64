import os
import subprocess
import sys
from pathlib import Path

from tests.integration.results.record_run import record_run

REPOSITORY = Path(__file__).resolve().parents[3]
FILES = {
    "orders.parquet", "fills.parquet", "positions.parquet", "equity.parquet", "denials.parquet",
    "cash.parquet", "metrics.json", "manifest.json", "tearsheet.html", "timing.json",
}  # fmt: skip


def record_in_own_process(root: Path, seed: str, seconds: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.integration.results.record_run", str(root), seconds],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONHASHSEED": seed},
        check=True,
    )


def test_two_processes_write_the_same_bytes_but_for_timing(tmp_path: Path) -> None:
    record_in_own_process(tmp_path, "1", "1.0")
    record_in_own_process(tmp_path, "2", "2.0")  # the second run gets a counter in its id
    first, second = sorted(tmp_path.iterdir())
    assert second.name == f"{first.name}-2"
    assert {path.name for path in first.iterdir()} == FILES
    different = {
        name for name in FILES if (first / name).read_bytes() != (second / name).read_bytes()
    }
    assert different == {"timing.json"}


def test_no_file_but_timing_names_where_it_was_written(tmp_path: Path) -> None:
    folder = record_run(tmp_path)
    for name in FILES:
        assert str(tmp_path).encode() not in (folder / name).read_bytes()
