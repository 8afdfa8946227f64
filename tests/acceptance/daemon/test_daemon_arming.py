"""A live daemon beside Alpaca's test server: unarmed it opens nothing, whatever happens."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, ask_broker, desk_strategy
from tradingd.control import messages as m
from tradingd.control.answers import HealthView

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

KEYS = {"APCA_API_KEY_ID": "AKTESTSERVER0001", "APCA_API_SECRET_KEY": "never-to-be-seen-anywhere"}


class Server:
    """The test server, which presents a live account."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tradingd.simalpaca", "--state", str(folder), "--live-like"),
            env={**os.environ, "SIMALPACA_KEY_ID": KEYS["APCA_API_KEY_ID"],
                 "SIMALPACA_SECRET_KEY": KEYS["APCA_API_SECRET_KEY"]},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        told = folder / "endpoint.json"
        eventually(told.exists, "the test server listens")
        facts = json.loads(told.read_bytes())
        self.url, self.account = str(facts["url"]), str(facts["account"])
        self.socket = Path(facts["socket"])
        # No symbol of an exchange has a digit: the server must be told of ours.
        symbols = ("SYN1", "SYN2")
        for symbol in symbols:
            self.ask("asset", symbol=symbol, known=True)
        bars = [(symbol, "230", "230", "230", "230", 10**6) for symbol in symbols]
        self.ask("market", ts=1_779_982_000 * 10**9, bars=bars)

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        answer = ask_broker(self.socket, op, **fields)
        assert answer["ok"], answer
        return answer

    def orders(self) -> list[dict[str, Any]]:
        """Return every order that ever arrived."""
        return list(self.ask("orders")["orders"])

    def working(self) -> list[str]:
        return [str(one["type"]) for one in self.ask("open_orders")["orders"]]


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    one = Server(home / "server")
    yield one
    one.process.kill()
    one.process.wait()


def live(paper: Make, server: Server) -> Paper:
    return paper(
        "mode=live", f"mode.account={server.account}", "broker=alpaca",
        f"broker.endpoint={server.url}", "feed.speed=60", "feed.days=2", "feed.symbols=2",
        "risk=open", *desk_strategy("Desk"),
    )  # fmt: skip


def enter(daemon: Paper) -> None:
    file = daemon.home / "enter-SYN1"
    file.touch()
    eventually(lambda: not file.exists(), "the strategy asks")


def denied(daemon: Paper) -> int:
    rows = daemon.rows("SELECT count(*) AS n FROM decisions WHERE \"limit\" = 'arm'")
    return int(rows[0]["n"])


def verify(daemon: Paper, *overrides: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        (sys.executable, "-m", "tradingd", "verify", "--json", "-i", daemon.instance,
         "--again", "0.5", *overrides),
        capture_output=True, text=True, env={**daemon.environment, **KEYS}, cwd=daemon.home,
        timeout=90,
    )  # fmt: skip
    assert KEYS["APCA_API_SECRET_KEY"] not in done.stdout + done.stderr
    return done


def verified(daemon: Paper) -> tuple[int, dict[str, Any]]:
    """Return what `tradingd verify` says, which logs in by itself."""
    done = verify(daemon, *daemon.overrides)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def arm(daemon: Paper, server: Server) -> None:
    words = ("--account", server.account, "--minutes", "30", "--reason", "the open")
    done = daemon.ctl("arm", *words, "--confirm", server.account)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_live_start_without_arming_sends_nothing(paper: Make, server: Server) -> None:
    daemon = live(paper, server).start(environment=KEYS).ready()
    assert daemon.status().arming == "NOT ARMED: nothing is opened"
    enter(daemon)
    eventually(lambda: denied(daemon) == 2, "both entries are denied")
    assert server.orders() == []
    assert any("NOT ARMED" in text for text in daemon.notified.values("STATUS"))

    words = ("--minutes", "30", "--reason", "the open")
    wrong = daemon.ctl("arm", "--account", "X", *words, "--confirm", "X")
    assert wrong.returncode == 65
    once = daemon.ctl("arm", "--account", server.account, *words)
    assert (once.returncode, f"--confirm {server.account}" in once.stderr) == (51, True)
    name = daemon.ctl("arm", "--account", server.account, *words, "--confirm", daemon.instance)
    assert name.returncode == 51
    long = ("--account", server.account, "--minutes", "601", "--reason", "the open")
    assert daemon.ctl("arm", *long, "--confirm", server.account).returncode == 65
    astray = verify(daemon)
    assert astray.returncode == 78, astray.stdout + astray.stderr
    assert f"mode.account={server.account} broker.endpoint={server.url}" in astray.stderr
    enter(daemon)
    eventually(lambda: denied(daemon) == 4, "both entries are denied again")
    assert server.orders() == []
    assert daemon.stop() == 0
    for file in (*daemon.outputs(), daemon.state / "endpoint.json"):
        assert KEYS["APCA_API_SECRET_KEY"] not in file.read_text(errors="replace")


def test_in_shadow_mode_orders_are_journaled_as_would_have_and_the_status_says_so(
    paper: Make, server: Server
) -> None:
    daemon = live(paper, server).start("mode.shadow=true", environment=KEYS).ready()
    assert daemon.status().arming == "SHADOW: nothing is sent"
    assert "SHADOW: nothing is sent" in daemon.ctl("status").stdout
    enter(daemon)
    would = "SELECT count(*) AS n FROM order_events WHERE step = 'would_have'"
    eventually(lambda: daemon.rows(would)[0]["n"] >= 2, "both entries would have been sent")
    assert denied(daemon) == 0
    assert server.orders() == []
    words = ("--account", server.account, "--reason", "the open", "--confirm", server.account)
    assert daemon.ctl("arm", *words).returncode == 65
    assert daemon.stop() == 0


def test_what_is_armed_trades_until_it_is_disarmed_also_over_a_restart(
    paper: Make, server: Server
) -> None:
    daemon = live(paper, server).start(environment=KEYS).ready()
    arm(daemon, server)
    assert daemon.status().arming.startswith("ARMED until ")
    enter(daemon)
    # Alpaca takes no stop while a bid of the same symbol rests: the bid gives way.
    eventually(lambda: server.working() == ["STOP_MARKET"], "the position has a stop")
    (daemon.home / "bid-SYN2").touch()
    eventually(lambda: "LIMIT" in server.working(), "a bid of another symbol rests at the server")

    daemon.kill()
    daemon.start(environment=KEYS).ready()
    assert daemon.status().armed
    assert sorted(server.working()) == ["LIMIT", "STOP_MARKET"]

    assert daemon.ctl("disarm", "--reason", "lunch").returncode == 0
    eventually(lambda: server.working() == ["STOP_MARKET"], "the bid is taken back, the stop stays")
    enter(daemon)
    eventually(lambda: denied(daemon) == 2, "both entries are denied")

    daemon.kill()
    daemon.start(environment=KEYS).ready()
    assert not daemon.status().armed
    (daemon.home / "leave-SYN1").touch()
    eventually(lambda: server.ask("positions")["positions"] == [], "an exit leaves unarmed")
    eventually(lambda: verified(daemon)[0] == 0, "journal and broker agree")
    assert verified(daemon)[1]["fills"] == 2

    # What a person does in the account is found, and its trade is named manual.
    server.ask(
        "submit", client_order_id="", symbol="SYN1", side="BUY", quantity=3, type="MARKET",
        limit=None, stop=None, time_in_force="DAY",
    )  # fmt: skip
    eventually(lambda: verified(daemon)[0] == 62, "journal and broker differ")
    found = {one["check"]: one["owner"] for one in verified(daemon)[1]["findings"]}
    assert found.keys() >= {"position", "fill_not_in_journal"}
    assert found["fill_not_in_journal"] == "manual"


def test_another_configuration_disarms_by_reload_and_by_restart(
    paper: Make, server: Server
) -> None:
    daemon = live(paper, server)
    file = daemon.overlay / f"{daemon.instance}.yaml"
    file.write_text("risk: {max_positions: 11}\n")
    daemon.start(environment=KEYS).ready()
    arm(daemon, server)
    assert daemon.control.post("reload", m.ReloadRequest(reason="nothing changed")).changes == ()
    assert daemon.status().armed
    file.write_text("risk: {max_positions: 7}\n")
    reloaded = daemon.ctl("reload")
    assert reloaded.returncode == 0
    assert "this ended the arming" in " ".join(reloaded.stdout.split())
    assert daemon.status().arming == "NOT ARMED: nothing is opened"

    arm(daemon, server)
    assert daemon.stop() == 0
    file.write_text("risk: {max_positions: 5}\n")
    daemon.start(environment=KEYS).ready()
    assert not daemon.status().armed
    enter(daemon)
    eventually(lambda: denied(daemon) == 2, "both entries are denied")
    assert server.orders() == []


def test_what_an_account_held_before_the_first_start_is_adopted_by_a_repair(
    paper: Make, server: Server
) -> None:
    server.ask(
        "submit", client_order_id="", symbol="SYN1", side="BUY", quantity=2, type="MARKET",
        limit=None, stop=None, time_in_force="DAY",
    )  # fmt: skip
    eventually(lambda: server.ask("positions")["positions"] != [], "the order of a person fills")
    daemon = live(paper, server).start(environment=KEYS).ready()
    assert daemon.status().state == "HALTED"
    assert "tradingctl adopt" in " ".join(daemon.ctl("health").stdout.split())

    def repair(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (sys.executable, "-m", "tradingd", "repair", "--json", "-i", daemon.instance,
             "--again", "0.5", *daemon.overrides, *words),
            capture_output=True, text=True, env={**daemon.environment, **KEYS}, cwd=daemon.home,
            timeout=90,
        )  # fmt: skip

    planned = json.loads(repair("--dry-run").stdout)
    assert planned["steps"][0]["verb"] == "adopt", planned
    assert "SYN1" in planned["steps"][0]["text"]
    done = repair("--apply", "--reason", "held before", "--confirm", daemon.instance)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verified(daemon)[0] == 0
    checks = {one.name: one for one in daemon.control.get("health", HealthView).checks}
    assert checks["engine_picture"].value == "as the book has it"
    assert checks["reconciliation"].grade == "OK"
