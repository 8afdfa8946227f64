"""One machine for all tests of the folder, booted once; a fresh instance name for each test."""

import itertools
from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine, staged
from tests.systemd.sandbox import why_not

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted systemd with tradingd installed; skips with the reason where none can be booted."""
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machine")
    machine = Machine(staged(folder / "tree"), keep=None)
    machine.start_machine()
    yield machine
    machine.sandbox.stop()


@pytest.fixture
def rebootable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine of the test's own that keeps its disk over `reboot`."""
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("rebootable")
    machine = Machine(staged(folder / "tree"), keep=folder / "disk")
    machine.start_machine()
    yield machine
    machine.sandbox.stop()


@pytest.fixture
def instance(machine: Machine) -> Iterator[str]:
    """A name no other test uses; what was started under it is stopped afterwards."""
    name = f"t{next(_numbers)}"
    yield name
    machine.forget(name)
