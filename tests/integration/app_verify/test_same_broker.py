"""Without the overrides of its run, an instance is not compared with another broker."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command import environment_in
from tradingd.app.verify.report import Finding, Tolerances, VerifyReport
from tradingd.app.verify.same_broker import overrides_for
from tradingd.app.verify.steps import RepairReport, Step
from tradingd.cli.verify_run import render_repair, render_verify
from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits.failure import ExitCode

URL = "http://127.0.0.1:4711"


def alpaca(**changes: str) -> BrokerEndpoint:
    fields = {
        "kind": "alpaca", "account": "PA1", "url": URL, "key_id": "env:APCA_API_KEY_ID",
        "secret_key": "env:APCA_API_SECRET_KEY", "mode": "paper",
    }  # fmt: skip
    return BrokerEndpoint(**(fields | changes))


def state_of(home: Path) -> Path:
    state = home / "state" / "tradingd" / "odd"
    state.mkdir(parents=True, exist_ok=True)
    return state


def tradingd(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "tradingd", *words),
        capture_output=True, text=True, cwd=home, timeout=90,
        env={**environment_in(home), "XDG_STATE_HOME": str(home / "state"), "COLUMNS": "400",
             "APCA_API_KEY_ID": "PKNOBODY", "APCA_API_SECRET_KEY": "nothing"},
    )  # fmt: skip


@pytest.mark.parametrize("words", [("verify",), ("repair", "--dry-run")])
def test_a_daemon_at_another_broker_is_named_with_the_overrides_to_repeat(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    endpoint.write(state_of(tmp_path), alpaca())
    done = tradingd(tmp_path, *words, "--instance", "odd", "risk=open", "broker=simulated")
    assert done.returncode == ExitCode.CONFIG, done.stdout + done.stderr
    assert "endpoint.json" in done.stderr
    assert f"alpaca {URL} paper" in done.stderr
    again = f"tradingd {' '.join(words)} --instance odd risk=open broker=alpaca mode=paper"
    assert f"{again} broker.endpoint={URL}" in " ".join(done.stderr.split())


def test_the_overrides_that_are_named_lead_to_the_instances_broker(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    endpoint.write(state, alpaca())
    words = overrides_for(endpoint.read(state), state)
    done = tradingd(tmp_path, "verify", "--instance", "odd", *words)
    # It is the right broker, and goes on to what is missing here: a journal.
    assert done.returncode == ExitCode.JOURNAL, done.stdout + done.stderr


def test_overrides_name_only_what_is_not_usual(tmp_path: Path) -> None:
    usual = alpaca(url="https://paper-api.alpaca.markets")
    assert overrides_for(usual, tmp_path) == ("broker=alpaca", "mode=paper")
    assert overrides_for(alpaca(url="", mode="live", key_id="env:MINE"), tmp_path) == (
        "broker=alpaca", "mode=live", "mode.account=PA1", "broker.key_id=env:MINE",
    )  # fmt: skip
    own = BrokerEndpoint(kind="simulated", account="S", socket=str(tmp_path / "simbroker.sock"))
    assert overrides_for(own, tmp_path) == ("broker=simulated",)
    other = BrokerEndpoint(kind="simulated", account="S", socket="/run/sim")
    assert overrides_for(other, tmp_path) == ("broker=simulated", "broker.endpoint=/run/sim")


def test_printed_next_steps_keep_the_overrides(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    options = ("--overlay", "my site", "broker=alpaca")
    finding = Finding(check="cash", subject="cash", text="cash differs")
    render_verify(
        VerifyReport(
            instance="odd", broker="alpaca", account="PA1", agree=False, positions=(),
            findings=(finding,), broker_cash="5", our_cash="4", open_orders=0, foreign_orders=0,
            fills=0, tolerances=Tolerances(), looks=2, passing=0, since=0, wall=0, seconds=0.0,
            exit_code=62, options=options,
        )
    )  # fmt: skip
    kept = "tradingd repair --instance odd --overlay 'my site' broker=alpaca"
    assert f"next: {kept} --dry-run" in capsys.readouterr().out
    step = Step(verb="adopt", subject="", text="book it")
    render_repair(
        RepairReport(
            instance="odd", plan="abc", applied=False, steps=(step,), by_hand=(), left=(),
            options=options,
        )
    )  # fmt: skip
    assert f"next: {kept} --apply --plan abc --reason TEXT" in capsys.readouterr().out
