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
