"""Engine objects must die on the thread that made them: the next test's journal has another."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect a test's engine objects here and now."""
    yield
    gc.collect()
