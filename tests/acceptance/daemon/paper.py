"""A paper daemon in a process of its own, as its unit runs it, and what it leaves behind."""

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.acceptance.command import environment_in
from tests.acceptance.daemon.notified import Notified, eventually
from tests.acceptance.patience import PATIENT
from tradingd.control import messages as m
from tradingd.control.answers import Done, HealthView, Status
from tradingd.control.client import ControlClient
from tradingd.control.location import SYSTEM_FOLDER

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]

WATCHDOG_SECONDS = 0.9
"""The daemon beats three times within it."""

QUICK = (
    *PATIENT,
    "feed=synthetic",
    "feed.symbols=3",
    "telemetry.metrics_port=0",
    "mode.warm_up_bars=30",
    "supervision.stop_grace_seconds=5",
)
"""A session that is up in two seconds; every test adds speed, days and strategy."""

READY_SECONDS = 120.0
"""Far more than a start takes, since test machines are shared."""


def desk_strategy(name: str, **params: object) -> tuple[str, ...]:
    """Return the overrides that choose a strategy of desk_strategies.py."""
    given = (f"+strategy.params.{key}={value}" for key, value in params.items())
    return ("strategy=custom", f"strategy.path=desk_strategies:{name}", "strategy.bars=1m", *given)


class Paper:
    """One instance: its folders, its process (one after the other), its sockets.

    Parameters
    ----------
    home : Path
        Folder of everything; short, since it holds sockets.
    overrides : Sequence[str]
        On every start.
    """

    def __init__(self, home: Path, *overrides: str, instance: str = "") -> None:
        self.home = home
        # Sockets of every test of the machine's root lie in one folder.
        self.instance = instance or f"t{secrets.token_hex(5)}"
        self.overrides = overrides
        self.state = home / "state" / "tradingd" / self.instance
        self.overlay = home / "overlay"
        self.overlay.mkdir(exist_ok=True)
        (home / "run").mkdir(exist_ok=True, mode=0o700)
        self.notified = Notified(home / f"notify-{self.instance}")
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    # -- life --------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What the process is given."""
        return {
            **environment_in(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "TRADINGD_CONF": str(self.overlay),
            # The strategies, and the very tree that is tested.
            "PYTHONPATH": f"{HERE}:{REPOSITORY}",
            "NOTIFY_SOCKET": str(self.notified.path),
            "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6)),
            "INVOCATION_ID": "0123456789abcdef0123456789abcdef",
        }

    def start(self, *overrides: str, environment: Mapping[str, str] | None = None) -> "Paper":
        """Start the process and do not wait for it."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.notified.forget()
        self.starts += 1
        with self._output("out").open("wb") as out, self._output("err").open("wb") as err:
            self.process = subprocess.Popen(
                self.command(*overrides),
                stdout=out,
                stderr=err,
                env={**self.environment, **(environment or {})},
                cwd=self.home,
            )
        return self

    def command(self, *overrides: str) -> Sequence[str]:
        """Return the command line."""
        base = (sys.executable, "-m", "tradingd", "run", "--json", "--instance", self.instance)
        return (*base, *QUICK, *self.overrides, *overrides)

    def ready(self, seconds: float = READY_SECONDS) -> "Paper":
        """Wait for READY=1."""
        end = time.monotonic() + seconds
        while not self.notified.is_ready and not self.ended and time.monotonic() < end:
            time.sleep(0.02)
        if not self.notified.is_ready:
            self.send(signal.SIGQUIT)  # its stacks, in the log
            time.sleep(0.2)
        assert self.notified.is_ready, (self.notified.values("STATUS")[-1:], self.errors())
        return self

    def wait(self, seconds: float = 120.0) -> int:
        """Wait for the end; return the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds:g} s\n{self.errors()}") from None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """SIGTERM, and wait; return the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """End whatever still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=20)
        for socket_path in (self.broker_socket, self.home / "broker.sock"):
            if listens(socket_path):
                end_broker(socket_path)
        self.notified.close()
        self.control_socket.unlink(missing_ok=True)

    @property
    def ended(self) -> bool:
        """Whether the last process is over."""
        return self.process is not None and self.process.poll() is not None

    # -- talking -----------------------------------------------------------------------------------

    @property
    def control_socket(self) -> Path:
        """Where the daemon makes its control socket."""
        system = SYSTEM_FOLDER / f"{self.instance}.sock"
        own = self.home / "run" / "tradingd" / f"{self.instance}.sock"
        return own if own.exists() else system

    @property
    def control(self) -> ControlClient:
        """A client of the control socket."""
        return ControlClient(self.instance, paths=[self.control_socket], timeout=30)

    def status(self) -> Status:
        """Return what `tradingctl status` shows."""
        return self.control.get("status", Status)

    def check(self, name: str) -> Any:
        """Return one health check."""
        checks = self.control.get("health", HealthView).checks
        return next(one for one in checks if one.name == name)

    def drill(self, part: str, seconds: float) -> Done:
        """Freeze a part."""
        request = m.DrillRequest(
            part=part,  # type: ignore[arg-type]  # the server judges
            seconds=seconds,
            reason="exercise",
            confirm=self.instance,
        )
        return self.control.post("drill", request)

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the real `tradingctl`."""
        code = "import sys; from tradingd.cli.main import tradingctl; sys.exit(tradingctl())"
        return subprocess.run(
            (sys.executable, "-c", code, "-i", self.instance, *words),
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.home,
            timeout=60,
        )

    def tradingd(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `tradingd` beside it."""
        return subprocess.run(
            (sys.executable, "-m", "tradingd", *words),
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.home,
            timeout=120,
        )

    # -- what it left ------------------------------------------------------------------------------

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.state / "journal.sqlite"

    @property
    def broker_socket(self) -> Path:
        """Socket of the simulated broker that the daemon launches."""
        return self.state / "simbroker.sock"

    @property
    def broker_store(self) -> Path:
        """Store of the simulated broker that the daemon launches."""
        return self.state / "simbroker" / "simbroker.sqlite"

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Ask the journal."""
        return query(self.journal, statement, *values)

    def mark(self, key: str) -> str:
        """Return a mark of the journal, empty when it is not there."""
        found = self.rows("SELECT value FROM marks WHERE key = ?", key)
        return str(found[0]["value"]) if found else ""

    def report(self) -> dict[str, Any]:
        """Return the result that the last process printed."""
        return json.loads(self._output("out").read_bytes())

    def errors(self) -> str:
        """Return what the last process logged."""
        return self._output("err").read_text(errors="replace")

    def outputs(self) -> list[Path]:
        """Return the files of everything that any process printed."""
        return sorted(self.home.glob(f"{self.instance}-*.out")) + sorted(
            self.home.glob(f"{self.instance}-*.err")
        )

    def _output(self, kind: str) -> Path:
        return self.home / f"{self.instance}-{self.starts}.{kind}"


class Broker:
    """A simulated broker of the test's own, told what to do over its socket.

    Parameters
    ----------
    home : Path
        Folder of its socket and store.
    account : str
        Name of its account.
    """

    def __init__(self, home: Path, account: str = "SIM-TEST") -> None:
        self.home = home
        self.socket = home / "broker.sock"
        self.account = account
        self.store = home / "broker" / "simbroker.sqlite"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Broker":
        """Start it and wait until it listens."""
        command = (sys.executable, "-m", "tradingd.simbroker", "--state", str(self.home / "broker"))
        self.process = subprocess.Popen(
            (*command, "--socket", str(self.socket), "--account", self.account),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: listens(self.socket), "the broker listens")
        return self

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=10)

    @property
    def overrides(self) -> tuple[str, ...]:
        """What leads a daemon here."""
        return (f"broker.endpoint={self.socket}", "broker.launch=false")

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Ask it one question."""
        return ask_broker(self.socket, op, **fields)


def ask_broker(path: Path, op: str, **fields: object) -> dict[str, Any]:
    """Send one request to a simulated broker and return its answer."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(str(path))
        link.sendall(msgspec.json.encode({"id": 1, "op": op, **fields}) + b"\n")
        with link.makefile("rb") as lines:
            return msgspec.json.decode(lines.readline(), type=dict[str, Any])


def end_broker(path: Path) -> None:
    """End the broker that listens on a socket."""
    try:
        pid = int(ask_broker(path, "hello")["pid"])
        os.kill(pid, signal.SIGCONT)
        ask_broker(path, "shutdown")
    except (OSError, msgspec.DecodeError):
        return
    end = time.monotonic() + 10
    while listens(path) and time.monotonic() < end:
        time.sleep(0.02)


def listens(path: Path) -> bool:
    """Tell whether somebody accepts connections on a socket."""
    with socket.socket(socket.AF_UNIX) as link:
        return link.connect_ex(str(path)) == 0


def query(path: Path, statement: str, *values: object) -> list[dict[str, Any]]:
    """Ask a SQLite file, read only."""
    link = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
    link.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in link.execute(statement, values)]
    finally:
        link.close()
