"""Daemons and brokers that are gone when their test is over."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon.paper import Broker, Paper


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
