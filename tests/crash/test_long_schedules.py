"""The long schedules: an hour and more, so only when they are asked for (TRADINGD_LONG=1)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("TRADINGD_LONG"), reason="TRADINGD_LONG is not set"),
]


@pytest.mark.parametrize(
    ("schedule", "runs"), [("schedule", 1_000), ("daemon_schedule", 50)], ids=["shim", "daemon"]
)
def test_nothing_is_lost_doubled_or_unprotected_at_the_alpaca_test_server(
    schedule: str, runs: int
) -> None:
    # Other seeds every time: what once failed has a test of its own.
    seed = int(time.time()) * 10_000
    words = ("-m", f"tests.crash.{schedule}", "--broker", "alpaca", "--runs", str(runs))
    command = (sys.executable, *words, "--seed", str(seed))
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    print(found.stdout)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"SUMMARY runs={runs} failed=0" in found.stdout
