"""Where data live when nobody says: the user's folders, or the home of the units' account."""

from pathlib import Path

import pytest

from tradingd.config.paths import SERVICE_HOME, data_home


def test_data_are_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_home() == tmp_path / ".local" / "share" / "tradingd"


def test_a_stated_base_wins_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(SERVICE_HOME))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_home() == tmp_path / "tradingd"


def test_the_units_account_keeps_data_where_its_units_may_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(SERVICE_HOME))
    assert data_home() == Path("/var/lib/tradingd")
