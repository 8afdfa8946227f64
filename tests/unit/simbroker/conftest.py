"""Fixtures: a broker of its own in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.simbroker.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A broker with 100,000 dollars and half a spread of 1 basis point."""
    made = Bench(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def other_bench(tmp_path: Path) -> Iterator[Any]:
    """Make a broker with other options."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(tmp_path, **options))
        return made[-1]

    yield make
    for bench in made:
        bench.store.close()
