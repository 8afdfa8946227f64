import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_no_kill_of_the_whole_daemon_leaves_the_books_apart() -> None:
    command = (sys.executable, "-m", "tests.crash.daemon_schedule", "--runs", "2", "--seed", "7")
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=400)
    print(found.stdout)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "SUMMARY runs=2 failed=0" in found.stdout
