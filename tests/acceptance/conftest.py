"""The real command in a process of its own, with folders of its own."""

from pathlib import Path

import pytest

from tests.acceptance.command import Run, tradingd_in
from tests.acceptance.desk import with_bars, with_everything


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home of one test."""
    return tmp_path


@pytest.fixture
def tradingd(home: Path) -> Run:
    """`tradingd` on an empty machine."""
    return tradingd_in(home)


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose store holds the embedded daily bars."""
    home = tmp_path_factory.mktemp("sample")
    imported = tradingd_in(home)("data", "import", "source=sample")
    assert imported.returncode == 0, imported.stderr
    return home


@pytest.fixture(scope="session")
def on_sample(sample_home: Path) -> Run:
    """`tradingd` on a machine whose store holds the embedded daily bars."""
    return tradingd_in(sample_home)


@pytest.fixture(scope="session")
def lean_home(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    """A home whose store holds the whole LEAN folder; skips where that folder is absent."""
    home = tmp_path_factory.mktemp("lean")
    imported = tradingd_in(home)(
        "data", "import", "source=lean", f"source.path={real_data / 'lean'}"
    )
    assert imported.returncode == 0, imported.stderr
    return home


@pytest.fixture(scope="session")
def on_lean(lean_home: Path) -> Run:
    """`tradingd` on a machine whose store holds the whole LEAN folder."""
    return tradingd_in(lean_home)


@pytest.fixture(scope="module")
def desk(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of this module with a bit of everything: what runs in it may write."""
    return with_everything(with_bars(tmp_path_factory.mktemp("desk"), sample_home))


@pytest.fixture(scope="module")
def at_desk(desk: Path) -> Run:
    """`tradingd` at that desk."""
    return tradingd_in(desk)
