"""Fixtures every test may use."""

import gc
import os
import signal
from collections.abc import Iterator
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


def pytest_configure() -> None:
    """Hear Ctrl-C in the background of a shell too, which ignores it there; children inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what takes minutes to whoever asks for it."""
    if os.environ.get("TRADINGD_LONG"):
        return
    later = pytest.mark.skip(reason="takes minutes; TRADINGD_LONG=1 runs it")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(later)


def pytest_collection_finish() -> None:
    """Count what the collection imported as permanent: no test's garbage collection walks it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_for_other_threads() -> Iterator[None]:
    """Collect what a module leaves behind, here.

    The engine's objects belong to the thread that made them. Left in a cycle, they are dropped by
    whichever thread collects next - a journal's, say, in a later test, which then takes the blame.
    """
    yield
    gc.collect()
