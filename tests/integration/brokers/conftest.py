"""Fixtures: a running simulated broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.simbroker.sim_kit import Process


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """Return a running broker that ends with the test."""
    made = Process(tmp_path).start()
    yield made
    made.stop()
