"""Daemons and brokers that are gone when their test is over."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon.alpaca_server import Alpaca, Trader
from tests.acceptance.daemon.paper import Broker, Paper
from tradingd.app.sim.server import Market


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short path: it holds sockets."""
    folder = Path(tempfile.mkdtemp(prefix="td-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def paper(home: Path) -> Iterator[Callable[..., Paper]]:
    """Make daemons; every one is ended after the test."""
    made: list[Paper] = []

    def make(*overrides: str, instance: str = "") -> Paper:
        made.append(Paper(home, *overrides, instance=instance))
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()


@pytest.fixture
def broker(home: Path) -> Iterator[Broker]:
    """A broker of the test's own."""
    one = Broker(home).start()
    yield one
    one.close()


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Alpaca]]:
    """Make Alpaca's test servers; every one is ended after the test."""
    made: list[Alpaca] = []

    def make(market: Market | None = None, *more: str) -> Alpaca:
        made.append(Alpaca(home, market, *more))
        return made[-1].start()

    yield make
    for one in made:
        one.close()


@pytest.fixture
def trader(home: Path) -> Iterator[Callable[..., Trader]]:
    """Make daemons that trade at such a server; every one is ended after the test."""
    made: list[Trader] = []

    def make(*overrides: str) -> Trader:
        made.append(Trader(home, *overrides))
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()
