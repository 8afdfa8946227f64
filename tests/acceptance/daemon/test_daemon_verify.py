"""`tradingd verify` and `tradingd repair` beside a real daemon and its real broker."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, ask_broker, desk_strategy, query
from tradingd.control.answers import HealthView, Jobs, Positions

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

DESK = ("feed.speed=60", "feed.days=2", "feed.symbols=2", "risk=open", *desk_strategy("Desk"))


def tradingd(daemon: Paper, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "tradingd", *words, "--instance", daemon.instance),
        capture_output=True, text=True, env=daemon.environment, cwd=daemon.home, timeout=90,
    )  # fmt: skip


def verify(daemon: Paper, *words: str) -> tuple[int, dict[str, Any]]:
    done = tradingd(daemon, "verify", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def holding(paper: Make) -> Paper:
    """Return a daemon that holds SYN1 with a stop, and rests a bid."""
    daemon = paper(*DESK).start().ready()
    enter = daemon.home / "enter-SYN1"
    enter.touch()
    eventually(lambda: not enter.exists() and daemon.status().positions == 1, "it holds SYN1")
    eventually(lambda: verify(daemon)[0] == 0, "journal and broker agree")
    return daemon


def by_hand(daemon: Paper, side: str, quantity: int, symbol: str, **more: object) -> dict[str, Any]:
    """Trade at the broker as a person would, without the daemon."""
    order = {
        "client_order_id": "", "symbol": symbol, "side": side, "quantity": quantity,
        "type": "MARKET", "limit": None, "stop": None, "time_in_force": "DAY", **more,
    }  # fmt: skip
    answer = ask_broker(daemon.broker_socket, "submit", **order)
    assert answer["ok"], answer
    return answer


def audited(daemon: Paper) -> list[str]:
    rows = daemon.rows("SELECT action FROM audit")
    return [str(row["action"]) for row in rows]


def test_a_working_daemon_agrees_with_its_broker_and_verify_changes_nothing(paper: Make) -> None:
    daemon = holding(paper)
    before = query(daemon.broker_store, "SELECT * FROM orders")
    code, report = verify(daemon, "--report", str(daemon.home / "report.json"))
    assert (code, report["agree"], report["findings"]) == (0, True, [])
    (line,) = report["positions"]
    assert (line["broker"], line["ours"], line["covered"]) == (10, 10, 10)
    assert line["broker_average"] == line["our_average"] != ""
    assert report["broker_cash"] == report["our_cash"]
    assert json.loads((daemon.home / "report.json").read_bytes())["agree"] is True
    assert query(daemon.broker_store, "SELECT * FROM orders") == before
    assert daemon.status().state == "RUNNING"
    shown = tradingd(daemon, "verify")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].startswith(f"SUMMARY instance={daemon.instance} ")


def test_what_a_person_did_at_the_broker_is_found_and_repaired(paper: Make, tmp_path: Path) -> None:
    daemon = holding(paper)
    by_hand(daemon, "BUY", 7, "SYN2")
    resting = by_hand(daemon, "BUY", 1, "SYN1", type="LIMIT", limit="1.00", time_in_force="GTC")
    eventually(
        lambda: bool(query(daemon.broker_store, "SELECT 1 FROM positions WHERE symbol = 'SYN2'")),
        "the order of a person fills",
    )
    code, report = verify(daemon)
    checks = {one["check"]: one for one in report["findings"]}
    assert code == 62
    assert checks.keys() >= {"position", "fill_not_in_journal", "foreign_order", "cash"}
    assert checks["fill_not_in_journal"]["owner"] == "manual"
    assert checks["foreign_order"]["subject"] == resting["broker_order_id"]

    orders = query(daemon.broker_store, "SELECT * FROM orders")
    planned = tradingd(daemon, "repair", "--dry-run", "--json")
    assert planned.returncode == 62, planned.stderr
    plan = json.loads(planned.stdout)
    assert [step["verb"] for step in plan["steps"]] == ["cancel-foreign", "adopt", "reconcile"]
    assert {step["state"] for step in plan["steps"]} == {"planned"}
    assert query(daemon.broker_store, "SELECT * FROM orders") == orders
    assert not any("adopt" in action for action in audited(daemon))

    apply = ("repair", "--apply", "--json", "--reason", "traded by hand")
    wrong = tradingd(daemon, *apply, "--plan", "0" * 12, "--confirm", daemon.instance)
    assert wrong.returncode == 51, wrong.stdout + wrong.stderr
    unconfirmed = tradingd(daemon, *apply, "--plan", plan["plan"])
    assert unconfirmed.returncode == 51
    assert not any("adopt" in action for action in audited(daemon))

    done = tradingd(daemon, *apply, "--plan", plan["plan"], "--confirm", daemon.instance)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert [step["state"] for step in result["steps"]] == ["done"] * 3
    assert result["left"] == []
    assert verify(daemon)[0] == 0
    assert {"cancel-foreign done", "adopt", "reconcile done"} <= set(audited(daemon))
    positions = daemon.control.get("positions", Positions).positions
    owners = {one.symbol: one.strategy for one in positions}
    assert owners["SYN2"] == "external"
    checks = {one.name: one.value for one in daemon.control.get("health", HealthView).checks}
    assert checks["engine_picture"] == "as the book has it"


def test_without_a_daemon_verify_still_compares_and_repair_says_what_to_start(paper: Make) -> None:
    daemon = holding(paper)
    daemon.kill()
    assert verify(daemon)[0] == 0
    by_hand(daemon, "BUY", 1, "SYN1", type="LIMIT", limit="1.00", time_in_force="GTC")
    assert verify(daemon, "--again", "0")[0] == 62
    words = ("--apply", "--reason", "traded by hand", "--confirm", daemon.instance, "--again", "0")
    refused = tradingd(daemon, "repair", *words)
    assert refused.returncode == 50
    assert f"systemctl start tradingd@{daemon.instance}" in refused.stderr
    assert verify(daemon, "--again", "0")[1]["foreign_orders"] == 1


def test_a_broker_that_is_away_is_61_and_another_account_is_not_compared(paper: Make) -> None:
    daemon = holding(paper)
    daemon.kill()
    endpoint = daemon.state / "endpoint.json"
    kept = endpoint.read_text()
    endpoint.write_text(kept.replace(f"SIM-{daemon.instance}", "SIM-OTHER"))
    other = tradingd(daemon, "verify")
    assert other.returncode == 61
    assert "another account" in other.stderr
    endpoint.write_text(kept)
    ask_broker(daemon.broker_socket, "shutdown")
    away = tradingd(daemon, "verify")
    assert away.returncode == 61, away.stdout + away.stderr


def test_the_daily_job_keeps_its_report_and_the_daemon_journals_it(paper: Make) -> None:
    daemon = holding(paper)
    done = tradingd(daemon, "verify", "--job")
    assert done.returncode == 0, done.stderr
    report = json.loads((daemon.state / "position_reconciliation.json").read_bytes())
    assert report["agree"] is True
    jobs = {one.name: one for one in daemon.control.get("jobs", Jobs).jobs}
    assert jobs["verify"].last_status == "done"


def test_arming_a_paper_instance_is_refused_in_words(paper: Make) -> None:
    daemon = paper(*DESK).start().ready()
    words = ("--account", "X", "--minutes", "30", "--reason", "the open", "--confirm", "X")
    refused = daemon.ctl("arm", *words)
    assert refused.returncode == 65
    assert "only a live instance is armed" in refused.stderr
    assert daemon.ctl("disarm").returncode == 65
    assert daemon.status().arming == ""
    assert audited(daemon).count("arm refused") == 1
