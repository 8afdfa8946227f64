"""Run the real command in a process of its own and read what it left."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

type Run = Callable[..., subprocess.CompletedProcess[str]]


def environment_in(home: Path) -> dict[str, str]:
    """Return an environment whose data and configuration are under `home`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TRADINGD")}
    return {
        **inherited,
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONWARNINGS": "error::DeprecationWarning:tradingd",
    }


def tradingd_in(home: Path) -> Run:
    """Return a function that runs `tradingd` with its data under `home`."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tradingd", *words],
            capture_output=True,
            text=True,
            env={**environment_in(home), **environment},
            cwd=home,
            timeout=300,
        )

    return run


def started_in(home: Path, *words: str, **options: Any) -> subprocess.Popen[str]:
    """Start `tradingd` under `home` and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tradingd", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_in(home),
        cwd=home,
        **options,
    )


def result_of(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the result of a `tradingd backtest --json` that must have succeeded."""
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)["result"]


def folder_of(ended: subprocess.CompletedProcess[str]) -> Path:
    """Return the run folder of a `tradingd backtest --json` that must have succeeded."""
    return Path(result_of(ended)["folder"])


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so while a command runs."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
