"""A paper session of the real daemon on a machine, and a web hook that hears its alerts."""

import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance import compare_books
from tests.acceptance.daemon.paper import ask_broker
from tests.systemd.machine import Machine
from tradingd.control import messages as m
from tradingd.control.answers import Limits, Orders, OrderView, Positions, PositionView, Status
from tradingd.control.client import ControlClient

STRATEGY = Path(__file__).with_name("trader.py")
HOOK_PORT = 9098

CONFIG = """
mode: paper
broker: simulated
feed: {{option: synthetic, speed: 100, symbols: 3, days: 20}}
risk: {{option: open, gross_percent: {gross}}}
strategy: {{option: custom, path: "trader:Trader", bars: 1m}}
alerts: {{page: ["credential:page-{name}"], warn: ["credential:page-{name}"]}}
supervision: {{strategy_stall_seconds: 2, journal_stall_seconds: 1}}
telemetry: {{metrics_port: {port}}}
{more}
"""
"""A minute of data in 0.6 s. Short limits, so that a frozen part is noticed soon."""

QUERY = """
import json, sqlite3, sys
link = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)
link.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in link.execute(sys.argv[2])]))
"""
COPY = """
import os, sqlite3, sys
there = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)
if os.path.exists(sys.argv[2]): os.unlink(sys.argv[2])
there.backup(sqlite3.connect(sys.argv[2]))
"""
WORKING = "SELECT * FROM orders WHERE status = 'WORKING'"
HELD = "SELECT * FROM positions WHERE quantity <> 0"

HOOK = """
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/tmp/heard", "ab") as file:
            file.write(self.path.encode() + b" " + body + b"\\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
"""


class Trading:
    """An instance that trades on demand under its units.

    Parameters
    ----------
    machine : Machine
        Where.
    name : str
        Of the instance.
    port : int
        Of its metrics; 0: none.
    """

    def __init__(self, machine: Machine, name: str, *, port: int = 0) -> None:
        self.machine = machine
        self.name = name
        self.unit = f"tradingd@{name}.service"
        self.ready_after = 0.0
        self._port = port

    # -- life --------------------------------------------------------------------------------------

    def install(self) -> None:
        """Write its configuration, strategy and credentials; start its broker."""
        strategies = self.machine.path("/etc/tradingd/strategies")
        strategies.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(STRATEGY, strategies / STRATEGY.name)
        self.configure()
        environment = self.machine.path(f"/etc/tradingd/{self.name}.env")
        environment.write_text("PYTHONPATH=/etc/tradingd/strategies\n")
        route = f"json://127.0.0.1:{HOOK_PORT}/daemon/{self.name}"
        seal(self.machine, f"page-{self.name}", route)
        self.machine.drop_in(self.unit, "RestartSec=100ms\nWatchdogSec=3s")
        self.machine.systemctl("start", f"tradingd-simbroker@{self.name}.service")

    def configure(self, *, gross: float = 100_000, more: str = "") -> None:
        """Write its file."""
        text = CONFIG.format(name=self.name, gross=gross, port=self._port, more=more)
        self.machine.write_config(self.name, text)

    def start(self) -> float:
        """Start it; return the seconds until READY."""
        begun = time.monotonic()
        self.machine.start(self.name)
        return time.monotonic() - begun

    def restarted(self, before: int, timeout: float = 40.0) -> int:
        """Wait until another process than `before` is READY; return how often it was restarted.

        The count begins anew, so that the limit of starts is far.
        """
        self.machine.wait_for(
            lambda: (
                self.machine.main_pid(self.name) not in (0, before)
                and self.machine.show(self.unit, "ActiveState") == "active"
            ),
            f"{self.unit} is back",
            timeout,
        )
        count = int(self.machine.show(self.unit, "NRestarts"))
        self.machine.systemctl("reset-failed", self.unit)
        return count

    @property
    def pid(self) -> int:
        """Its process inside the machine."""
        return self.machine.main_pid(self.name)

    # -- talking -----------------------------------------------------------------------------------

    @property
    def control(self) -> ControlClient:
        """A client of its control socket, as root."""
        path = self.machine.path(f"/run/tradingd/{self.name}.sock")
        return ControlClient(self.name, paths=[path], timeout=30)

    def status(self) -> Status:
        """Return what `tradingctl status` shows."""
        return self.control.get("status", Status)

    def ctl(self, *words: str, user: str = "root", check: bool = True) -> Any:
        """Run `tradingctl` of the instance as a user."""
        who = ("runuser", "-u", user, "--") if user != "root" else ()
        return self.machine.exec(*who, "tradingctl", *words, "-i", self.name, check=check)

    def drill(self, part: str, seconds: float = 60.0) -> None:
        """Freeze a part."""
        request = m.DrillRequest(
            part=part,  # type: ignore[arg-type]  # the server judges
            seconds=seconds,
            reason="exercise",
            confirm=self.name,
        )
        self.control.post("drill", request)

    def tell(self, command: str, shares: int = 10) -> None:
        """Give the strategy a command, in one piece."""
        folder = self.machine.state(self.name)
        new = folder / f".{secrets.token_hex(4)}"
        new.write_text(str(shares))
        new.rename(folder / command)

    def eventually(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; fail with the end of the unit's journal."""
        try:
            self.machine.wait_for(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-4000:]}") from None

    def open(self, symbol: str, shares: int = 10) -> None:
        """Buy, and wait until the position and its stop are there."""
        self.tell(f"buy-{symbol}", shares)
        self.eventually(
            lambda: any(one.symbol == symbol and one.stop for one in self.positions()),
            f"a position in {symbol} and its stop",
        )

    def rest(self, symbol: str, shares: int = 5) -> None:
        """Place a bid far below, and wait until it works at the broker."""
        self.tell(f"rest-{symbol}", shares)
        self.eventually(
            lambda: any(one["symbol"] == symbol and one["type"] == "LIMIT" for one in self.working),
            f"a resting bid for {symbol}",
        )

    def close(self, symbol: str) -> None:
        """Sell what is held, and wait until it is gone."""
        self.tell(f"sell-{symbol}")
        self.eventually(
            lambda: not any(one.symbol == symbol for one in self.positions()),
            f"no position in {symbol}",
        )

    def positions(self) -> tuple[PositionView, ...]:
        """Return its positions."""
        return self.control.get("positions", Positions).positions

    def orders(self) -> tuple[OrderView, ...]:
        """Return the orders that this process knows."""
        return self.control.get("orders", Orders, {"all": "true"}).orders

    def limit(self, name: str) -> str:
        """Return a limit in force, without trailing zeros."""
        limits = self.control.get("limits", Limits).limits
        return next(one.value for one in limits if one.key.endswith(name)).removesuffix(".0")

    # -- what it left ------------------------------------------------------------------------------

    def query(self, file: str, statement: str) -> list[dict[str, Any]]:
        """Ask a SQLite file of the state folder; inside, for SQLite resolves the host's names."""
        path = f"/var/lib/tradingd/{self.name}/{file}"
        said = self.machine.exec("/usr/bin/python3", "-c", QUERY, path, statement).stdout
        rows: list[dict[str, Any]] = json.loads(said)
        return rows

    @property
    def working(self) -> list[dict[str, Any]]:
        """The orders that work at the broker."""
        return self.query("simbroker/simbroker.sqlite", WORKING)

    @property
    def held(self) -> list[dict[str, Any]]:
        """The positions at the broker that are not flat."""
        return self.query("simbroker/simbroker.sqlite", HELD)

    def ask_broker(self, op: str, **fields: object) -> Mapping[str, Any]:
        """Ask the simulated broker one question."""
        return ask_broker(self.machine.state(self.name) / "simbroker.sock", op, **fields)

    def sent(self) -> int:
        """Return how many orders the daemon has sent, the kill switch's own apart."""
        ours = "SELECT 1 FROM orders WHERE client_order_id NOT LIKE 'KILL-%'"
        return len(self.query("simbroker/simbroker.sqlite", ours))

    def audit(self, action: str) -> list[dict[str, Any]]:
        """Return the audit's rows of an action."""
        return self.query("journal.sqlite", f"SELECT * FROM audit WHERE action = '{action}'")

    def said(self) -> str:
        """Return the unit's journal."""
        return self.machine.messages(self.unit)

    def books_agree(self, folder: Path, *, allow_foreign: bool = False) -> None:
        """Wait until copies of both files agree; what was sent twice never will."""
        found: list[Any] = ["not compared"]

        def agree() -> bool:
            # The journal first: the broker may be ahead of it, as it may be at any moment.
            for file in ("journal.sqlite", "simbroker/simbroker.sqlite"):
                path = f"/var/lib/tradingd/{self.name}/{file}"
                self.machine.exec("/usr/bin/python3", "-c", COPY, path, "/tmp/copy.sqlite")
                copy = self.machine.path("/tmp/copy.sqlite")
                shutil.copyfile(copy, folder / Path(file).name)
            books = compare_books.read(folder / "simbroker.sqlite", folder / "journal.sqlite")
            found[:] = compare_books.compare(books, allow_foreign=allow_foreign)
            return not found

        try:
            self.machine.wait_for(agree, "the books agree", 15.0)
        except AssertionError:
            raise AssertionError(f"the books differ: {found}") from None


def seal(machine: Machine, name: str, text: str) -> None:
    """Seal a credential on the machine, as its operator would."""
    store = f"/etc/credstore.encrypted/{name}"
    command = f"systemd-creds encrypt --with-key=host --name={name} - {store}"
    machine.exec("sh", "-c", command, text=text)


@contextmanager
def hook(machine: Machine) -> Iterator[Path]:
    """A web hook on the machine's loopback: the file of what it hears, a line each.

    It is the address of `tradingd-alert@` (path /unit) and of every instance's pages.
    """
    heard = machine.path("/tmp/heard")
    machine.path("/tmp/trading-hook.py").write_text(HOOK)
    program = ("/usr/bin/python3", "/tmp/trading-hook.py", str(HOOK_PORT))
    machine.exec("systemd-run", "-q", "--unit=trading-hook", *program)
    up = ("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{HOOK_PORT}")
    machine.wait_for(lambda: machine.exec(*up, check=False).returncode == 0, "the hook listens")
    seal(machine, "alerts-unit", f"http://127.0.0.1:{HOOK_PORT}/unit\n")
    heard.write_text("")
    yield heard
    machine.exec("rm", "-f", "/etc/credstore.encrypted/alerts-unit")
    machine.systemctl("stop", "trading-hook.service")


def heard_of(file: Path, path: str, *words: str) -> list[dict[str, Any]]:
    """Return the messages to a path that hold all of the words."""
    lines = (line.partition(" ") for line in file.read_text().splitlines())
    bodies = (body for where, _, body in lines if where == path)
    return [json.loads(body) for body in bodies if all(word in body for word in words)]
