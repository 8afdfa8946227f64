"""No test of the configuration sees this machine's overlay, `.env` or variables."""

from pathlib import Path

import pytest

from tradingd.config.environment import REFERENCED, TABLE


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "no-overlay"
    empty.mkdir()
    monkeypatch.setenv("TRADINGD_CONF", str(empty))
    monkeypatch.chdir(empty)
    for variable in [*(one.variable for one in TABLE), *REFERENCED, "CREDENTIALS_DIRECTORY"]:
        monkeypatch.delenv(variable, raising=False)
