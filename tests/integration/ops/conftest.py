"""The real Prometheus tools, fetched when they are missing."""

import subprocess
from pathlib import Path
from typing import Protocol

import pytest

from ops.setup.promtool import NotToBeHad, programs


class Tool(Protocol):
    """Runs one of the tools."""

    def __call__(self, *arguments: object, text: str = "") -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def tools() -> dict[str, Path]:
    """Paths of promtool, prometheus, amtool, alertmanager; skips where they cannot be had."""
    try:
        return programs()
    except NotToBeHad as reason:
        pytest.skip(str(reason))


def runner(program: Path) -> Tool:
    def run(*arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, arguments)],
            input=text, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


@pytest.fixture
def promtool(tools: dict[str, Path]) -> Tool:
    return runner(tools["promtool"])


@pytest.fixture
def amtool(tools: dict[str, Path]) -> Tool:
    return runner(tools["amtool"])
