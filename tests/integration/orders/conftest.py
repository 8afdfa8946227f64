from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.orders.shim_bench import broker_process


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short name (socket paths are limited), served by a broker process."""
    made = tmp_path_factory.mktemp("b")
    with broker_process(made):
        yield made
