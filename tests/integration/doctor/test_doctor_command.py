"""`tradingd doctor` and `tradingd completion` as a person runs them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tradingd.cli.main import tradingd
from tradingd.kits.failure import ExitCode


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("TRADINGD_CONF", raising=False)
    monkeypatch.chdir(tmp_path)


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}


def test_a_fresh_machine_is_fit_for_backtests_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["doctor", "mode=backtest", "--json"]) == ExitCode.OK
    found = checks(capsys)
    assert found["store"]["status"] == "warn"
    assert found["configuration"]["status"] == "ok"
    assert found["sample data"]["status"] == "ok"
    assert not list(tmp_path.iterdir())


def test_a_broken_configuration_is_unfit_and_the_other_checks_still_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert tradingd(["doctor", "brokr=alpaca", "--json"]) == ExitCode.DOCTOR
    found = checks(capsys)
    assert "did you mean broker" in found["configuration"]["detail"]
    assert found["python"]["status"] == "ok"


def test_paper_trading_without_its_credentials_is_unfit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.setenv("APCA_API_SECRET_KEY", "hunter2")
    assert tradingd(["doctor", "mode=paper", "broker=alpaca"]) == ExitCode.DOCTOR
    said = capsys.readouterr().out
    assert "env:APCA_API_KEY_ID" in said
    assert "hunter2" not in said
    assert said.splitlines()[-1].startswith("SUMMARY checks=")


@pytest.mark.parametrize(
    ("broker", "said"),
    [("alpaca", "orders for a real broker need the prices of now"), ("ibkr", "cannot trade yet")],
)
def test_what_a_session_would_refuse_is_unfit_and_good_for_a_backtest(
    broker: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Nobody at Alpaca is asked.
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.delenv("APCA_API_SECRET_KEY", raising=False)
    words = ["doctor", f"broker={broker}", "feed=replay", "--json"]
    assert tradingd([*words, "mode=paper"]) == ExitCode.DOCTOR
    session = checks(capsys)["session"]
    assert session["status"] == "fail"
    assert said in session["detail"]
    assert session["next_step"].startswith("feed=alpaca" if broker == "alpaca" else "broker=alpaca")
    assert tradingd([*words, "mode=backtest"]) == ExitCode.OK
    assert "session" not in checks(capsys)


def test_what_a_session_takes_is_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert tradingd(["doctor", "mode=paper", "broker=simulated", "--json"]) == ExitCode.OK
    assert checks(capsys)["session"]["status"] == "ok"


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_knows_every_command(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["completion", shell]) == ExitCode.OK
    script = capsys.readouterr().out
    assert "doctor" in script
    assert "backtest" in script


def test_the_bash_completion_script_completes_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tradingd(["completion", "bash"])
    script = capsys.readouterr().out
    ask = "\nCOMP_WORDS=(tradingd doc); COMP_CWORD=1; _shtab_tradingd; echo ${COMPREPLY[@]}"
    ended = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True)
    assert ended.stdout.strip() == "doctor"


def test_an_unknown_shell_is_refused() -> None:
    with pytest.raises(SystemExit) as caught:
        tradingd(["completion", "fish"])
    assert caught.value.code == ExitCode.USAGE


def test_a_results_folder_that_cannot_be_written_is_unfit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    words = ["mode=backtest", f"mode.results={tmp_path}/file/runs"]
    assert tradingd(["doctor", *words, "--json"]) == ExitCode.DOCTOR
    assert checks(capsys)["results"]["status"] == "fail"


def test_a_results_folder_without_permission_is_unfit(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    words = ["doctor", "mode=backtest", f"mode.results={closed}/runs", "--json"]
    done = subprocess.run(
        [*_bound_by_permissions(), sys.executable, "-m", "tradingd", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == ExitCode.DOCTOR, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert found["results"]["status"] == "fail"
    assert f"{closed} is read-only" in found["results"]["detail"]


def _bound_by_permissions() -> list[str]:
    """How root runs a command that permissions apply to."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
