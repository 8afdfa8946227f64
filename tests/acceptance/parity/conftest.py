"""Homes whose stores hold bars, with short paths: they hold sockets too."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.parity.runs import Machine
from tradingd.domain.market import Resolution


@pytest.fixture(scope="session")
def machine() -> Iterator[Callable[[Resolution], Machine]]:
    """Make machines of their own; their folders go when the tests are over."""
    folders: list[Path] = []

    def make(resolution: Resolution) -> Machine:
        folders.append(Path(tempfile.mkdtemp(prefix="td-")))
        return Machine(folders[-1], resolution)

    yield make
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def daily(machine: Callable[[Resolution], Machine]) -> Machine:
    """A machine with the embedded daily bars."""
    made = machine(Resolution.DAY)
    made.data("source=sample")
    return made


@pytest.fixture(scope="session")
def minutes(machine: Callable[[Resolution], Machine], real_data: Path) -> Machine:
    """A machine with LEAN's minute bars of four symbols; skips where they are absent."""
    made = machine(Resolution.MINUTE)
    made.data(
        "source=lean", f"source.path={real_data / 'lean'}", "source.symbols=[SPY,AIG,BAC,IBM]"
    )
    return made
