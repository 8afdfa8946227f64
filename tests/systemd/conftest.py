"""One machine for all tests of the folder, booted once; a fresh instance name for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine, staged
from tests.systemd.sandbox import why_not

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed on every machine; skips with the reason where none can be booted."""
    if reason := why_not():
        pytest.skip(reason)
    return staged(tmp_path_factory.mktemp("machine") / "tree")


@pytest.fixture(scope="session")
def machine(tree: Path) -> Iterator[Machine]:
    """A booted systemd with tradingd installed."""
    machine = Machine(tree, keep=None)
    machine.start_machine()
    yield machine
    machine.sandbox.stop()


@pytest.fixture
def rebootable(tree: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine of the test's own that keeps its disk over `reboot`."""
    machine = Machine(tree, keep=tmp_path / "disk")
    machine.start_machine()
    yield machine
    machine.sandbox.stop()


@pytest.fixture
def instance(machine: Machine) -> Iterator[str]:
    """A name no other test uses; what was started under it is stopped afterwards."""
    name = f"t{next(_numbers)}"
    yield name
    machine.forget(name)
