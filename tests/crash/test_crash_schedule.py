import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


RUNS = {"simulated": 12, "apart": 12, "alpaca": 8}
"""So few that all of them take half a minute; see README.md for the long schedules."""


@pytest.mark.slow
@pytest.mark.parametrize("broker", RUNS)
def test_no_kill_and_no_misbehaviour_leaves_the_books_apart(broker: str) -> None:
    runs = str(RUNS[broker])
    schedule = ("-m", "tests.crash.schedule", "--broker", broker, "--runs", runs)
    command = (sys.executable, *schedule, "--seed", "20260101")
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    print(found.stdout)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"SUMMARY runs={runs} failed=0" in found.stdout


def test_the_shim_is_light_to_import() -> None:
    heavy = ("pandas", "duckdb", "exchange_calendars", "pyarrow", "nautilus_trader", "aiohttp")
    code = f"import sys, tradingd.orders.shim; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        (sys.executable, "-c", code), cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
