"""Daemons and brokers that are gone when their test is over."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon.alpaca_server import Alpaca, Trader
from tests.acceptance.daemon.model_market import TRAINED_TO, ModelMarket
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


@pytest.fixture(scope="module")
def module_paper() -> Iterator[Callable[..., Paper]]:
    """Make daemons that several tests look at."""
    folder = Path(tempfile.mkdtemp(prefix="td-"))
    made: list[Paper] = []

    def make(*overrides: str, instance: str = "") -> Paper:
        made.append(Paper(folder, *overrides, instance=instance))
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()
    shutil.rmtree(folder, ignore_errors=True)


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


@pytest.fixture(scope="session")
def model_market() -> Iterator[ModelMarket]:
    """The embedded daily bars in a store, and two models of them; the first is promoted."""
    folder = Path(tempfile.mkdtemp(prefix="td-"))
    market = ModelMarket(folder, ("source=sample",), ("features=daily",), TRAINED_TO)
    market.train(1)
    market.train(2, seed=5)
    market.point(1)
    yield market
    shutil.rmtree(folder, ignore_errors=True)
