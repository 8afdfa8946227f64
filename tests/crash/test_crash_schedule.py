import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("broker", [(), ("--exits-apart",)], ids=["sharing", "apart"])
def test_no_kill_and_no_misbehaviour_leaves_the_books_apart(broker: tuple[str, ...]) -> None:
    schedule = ("-m", "tests.crash.schedule", "--runs", "16", "--seed", "20260101")
    command = (sys.executable, *schedule, *broker)
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    print(found.stdout)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "SUMMARY runs=16 failed=0" in found.stdout


def test_the_shim_is_light_to_import() -> None:
    heavy = ("pandas", "duckdb", "exchange_calendars", "pyarrow", "nautilus_trader", "aiohttp")
    code = f"import sys, tradingd.orders.shim; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        (sys.executable, "-c", code), cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
