"""A site overlay that cannot be read is refused: the packaged limits must not apply instead."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tradingd.config.load import load
from tradingd.kits.failure import ExitCode, Failure


def _refused(overlay: Path | None) -> str:
    with pytest.raises(Failure) as refused:
        load(overlay=overlay)
    assert refused.value.code is ExitCode.CONFIG
    return refused.value.line()


def _overlay(folder: Path) -> Path:
    (folder / "risk").mkdir(parents=True)
    (folder / "risk" / "default.yaml").write_text("profile: site\n")
    return folder


def _loop(path: Path) -> Path:
    """Nobody can look at a link to itself, not even root."""
    path.symlink_to(path)
    return path


def test_a_group_folder_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    broken = _loop(tmp_path / "risk")
    said = _refused(tmp_path)
    assert "cannot be read" in said
    assert str(broken) in said


def test_a_file_that_leads_nowhere_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").symlink_to(tmp_path / "gone.yaml")
    said = _refused(tmp_path)
    assert "cannot be read" in said
    assert "site.yaml" in said


def test_an_overlay_of_the_usual_place_that_cannot_be_looked_at_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADINGD_CONF")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    broken = _loop(tmp_path / "tradingd")
    said = _refused(None)
    assert "cannot be read" in said
    assert str(broken) in said


def test_a_named_overlay_that_does_not_exist_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(tmp_path / "nope") in _refused(tmp_path / "nope")
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "nope"))
    assert str(tmp_path / "nope") in _refused(None)


def test_a_closed_folder_that_is_no_group_does_not_matter(tmp_path: Path) -> None:
    overlay = _overlay(tmp_path / "site")
    _loop(overlay / "secrets")
    assert load(overlay=overlay).config.risk.profile == "site"


@pytest.mark.parametrize("closed", ["", "risk"])
@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["no permission", "list only"])
@pytest.mark.parametrize("stated", ["--overlay", "TRADINGD_CONF"])
def test_an_overlay_without_permission_is_refused(
    tmp_path: Path, closed: str, mode: int, stated: str
) -> None:
    overlay = _overlay(tmp_path / "site")
    (overlay / "site.yaml").write_text("seed: 3\n")
    words = ["config", "check", *(["--overlay", str(overlay)] if stated == "--overlay" else [])]
    (overlay / closed).chmod(mode)
    done = subprocess.run(
        [*_bound_by_permissions(), sys.executable, "-m", "tradingd", *words],
        env={**os.environ, "TRADINGD_CONF": str(overlay)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (overlay / closed).chmod(0o755)
    assert done.returncode == ExitCode.CONFIG, done.stdout + done.stderr
    assert "cannot be read" in done.stderr
    assert str(overlay / closed) in done.stderr


def _bound_by_permissions() -> list[str]:
    """How root runs a command that permissions apply to."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
