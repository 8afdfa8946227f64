"""Fixtures: a running broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.simbroker.sim_kit import Process, Wire


@pytest.fixture
def make_process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start brokers that end with the test."""
    made: list[Process] = []

    def make(*options: str) -> Process:
        made.append(Process(tmp_path, *options))
        return made[-1].start()

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def process(make_process: Callable[..., Process]) -> Process:
    """Return a running broker."""
    return make_process()


@pytest.fixture
def wire(process: Process) -> Iterator[Wire]:
    """Return a raw connection to it."""
    with Wire(process.socket) as made:
        yield made
