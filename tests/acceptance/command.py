"""Run the real command in a process of its own and read what it left."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

type Run = Callable[..., subprocess.CompletedProcess[str]]


def tradingd_in(home: Path) -> Run:
    """Return a function that runs `tradingd` with its data under `home`."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith("TRADINGD")
        }
        settings = {
            **inherited,
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "PYTHONWARNINGS": "error::DeprecationWarning:tradingd",
            **environment,
        }
        return subprocess.run(
            [sys.executable, "-m", "tradingd", *words],
            capture_output=True,
            text=True,
            env=settings,
            cwd=home,
            timeout=300,
        )

    return run


def result_of(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the result of a `tradingd backtest --json` that must have succeeded."""
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)["result"]


def folder_of(ended: subprocess.CompletedProcess[str]) -> Path:
    """Return the run folder of a `tradingd backtest --json` that must have succeeded."""
    return Path(result_of(ended)["folder"])
