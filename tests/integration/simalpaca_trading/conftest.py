"""Fixtures: a running test server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.simalpaca_trading.exchange_kit import Exchange


@pytest.fixture
def make_exchange(tmp_path: Path) -> Iterator[Callable[..., Exchange]]:
    """Start servers that end with the test."""
    made: list[Exchange] = []

    def make(*options: str, **more: dict[str, str]) -> Exchange:
        made.append(Exchange(tmp_path, *options, **more))
        return made[-1].start()

    yield make
    for exchange in made:
        exchange.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One server for a module; each test has symbols of its own."""
    exchange = Exchange(tmp_path_factory.mktemp("exchange"), "--cash", "100000000").start()
    yield exchange
    exchange.stop()


@pytest.fixture
def exchange(shared: Exchange) -> Iterator[Exchange]:
    """The module's server, which behaves again after the test."""
    yield shared
    shared.tell("reset_faults")
