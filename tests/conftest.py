"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real market data beside the repository; the test skips where it is absent."""
    folder = Path(os.environ.get("TRADINGD_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no market data folder at {folder}; set TRADINGD_REAL_DATA")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what takes minutes to whoever asks for it."""
    if os.environ.get("TRADINGD_LONG"):
        return
    later = pytest.mark.skip(reason="takes minutes; TRADINGD_LONG=1 runs it")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(later)
