"""`tradingctl status` without and with something that listens."""

import socket
from pathlib import Path

import pytest

from tradingd.cli.main import tradingctl
from tradingd.kits.failure import ExitCode


def test_without_a_daemon_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert tradingctl(["status", "--instance", "test-only"]) == ExitCode.NO_DAEMON
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "/run/tradingd/test-only.sock" in said
    assert str(tmp_path / "tradingd" / "test-only.sock") in said


def test_a_listening_socket_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "tradingd").mkdir()
    path = tmp_path / "tradingd" / "test-only.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        assert tradingctl(["status", "--instance", "test-only"]) == ExitCode.OK
    assert f"socket={path}" in capsys.readouterr().out
    # The file of a daemon that died stays behind and is nobody's.
    assert tradingctl(["status", "--instance", "test-only"]) == ExitCode.NO_DAEMON


def test_an_instance_name_cannot_leave_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert tradingctl(["status", "--instance", "../etc"]) == ExitCode.USAGE
    assert "instance" in capsys.readouterr().err
