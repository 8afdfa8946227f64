"""Alpaca's test server in a process of its own, daemons that trade at it, and both books after."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.acceptance import compare_books
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, ask_broker, listens, query
from tradingd.app.sim.drill import overrides_for, rate
from tradingd.app.sim.history import fill_store
from tradingd.app.sim.server import Endpoint, Market, options
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar

KEY_ID = "PKTESTSERVER00000001"
SECRET = "never/to+be=seen%anywhere-0123456789"
KEYS = {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET}

RUN = (
    "telemetry.metrics_port=0",
    "supervision.stop_grace_seconds=5",
)
"""What every daemon of these tests is told."""


class Days(NamedTuple):
    """Invented days in a store: its symbols, first and last day to be traded."""

    store: Path
    symbols: Sequence[str]
    first: dt.date
    last: dt.date

    def market(self, speed: float) -> Market:
        """Return them as the market of a test server."""
        return Market(
            store=self.store,
            bars="1m",
            symbols=self.symbols,
            start=self.first,
            end=self.last,
            speed=speed,
        )


def invented(folder: Path, *, symbols: int = 3, days: int = 1, seed: int = 7) -> Days:
    """Write invented minute bars."""
    store = Store(folder)
    names, first, last = fill_store(
        store, symbols=symbols, days=days, seed=seed, calendar=SessionCalendar()
    )
    return Days(store.root, names, first, last)


class Alpaca:
    """The test server of a folder; one process after the other.

    Parameters
    ----------
    home : Path
        Where its folder is made.
    market : Market, optional
        What it plays; without, what the test tells.
    more : str
        Options of its command line.
    """

    def __init__(self, home: Path, market: Market | None = None, *more: str) -> None:
        self.state = home / "alpaca"
        self.state.mkdir(exist_ok=True)
        self.store = self.state / "simbroker.sqlite"
        self.log = home / "alpaca.log"
        self._allowed = str(rate(market.speed if market else 1.0))
        """Requests a minute, at the server and in the daemon's configuration."""
        self._command = options(self.state, market, ("--requests-per-minute", self._allowed, *more))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Alpaca":
        """Start it and wait until it serves."""
        environment = {**os.environ, "SIMALPACA_KEY_ID": KEY_ID, "SIMALPACA_SECRET_KEY": SECRET}
        with self.log.open("ab") as log:
            process = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log)
        self._process = process
        eventually(
            lambda: process.poll() is not None or self._serves(process.pid), "the server serves"
        )
        assert process.poll() is None, self.log.read_text()
        return self

    def restart(self) -> None:
        """SIGKILL it and start another one, which has the same address."""
        before = self.endpoint.url
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self.start()
        assert self.endpoint.url == before

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)

    @property
    def endpoint(self) -> Endpoint:
        """Where it serves."""
        return Endpoint(**json.loads((self.state / "endpoint.json").read_bytes()))

    def _serves(self, pid: int) -> bool:
        file = self.state / "endpoint.json"
        told = file.exists() and self.endpoint.pid == pid
        return told and listens(Path(self.endpoint.socket))

    # -- the admin's socket ------------------------------------------------------------------------

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Ask it one question over the admin's socket."""
        answer = ask_broker(Path(self.endpoint.socket), op, **fields)
        assert answer["ok"], answer
        return answer

    def misbehave(self, **plan: object) -> None:
        """Let it do wrong from now on; nothing: no more."""
        self.ask("misbehave", plan=plan)

    def bar(self, ts: int, symbol: str, price: str) -> None:
        """Tell one bar that stands still."""
        self.ask("market", ts=ts, bars=[(symbol, price, price, price, price, 10**6)])

    # -- what it has -------------------------------------------------------------------------------

    def orders(self) -> list[dict[str, Any]]:
        """Return every order that ever arrived."""
        return query(self.store, "SELECT * FROM orders")

    def positions(self) -> dict[str, int]:
        """Return signed shares by symbol."""
        rows = query(self.store, "SELECT symbol, quantity FROM positions WHERE quantity <> 0")
        return {row["symbol"]: row["quantity"] for row in rows}

    def overrides(self, symbols: Sequence[str]) -> list[str]:
        """Return the configuration of a daemon with both strategies in its time."""
        allowed = f"broker.requests_per_minute={self._allowed}"
        return [*overrides_for(self.endpoint, symbols), allowed]


class Trader(Paper):
    """A daemon at the test server, with its keys in the environment."""

    def command(self, *overrides: str) -> Sequence[str]:
        """Return the command line."""
        base = (sys.executable, "-m", "tradingd", "run", "--json", "--instance", self.instance)
        return (*base, *RUN, *self.overrides, *overrides)

    @property
    def environment(self) -> dict[str, str]:
        """What the process is given."""
        return {**super().environment, **KEYS}

    def tradingd(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the instance."""
        return subprocess.run(
            (sys.executable, "-m", "tradingd", *words, "-i", self.instance, *RUN, *self.overrides),
            capture_output=True, text=True, env=self.environment, cwd=self.home, timeout=90,
        )  # fmt: skip

    def traded(self) -> set[str]:
        """Return the strategies that have fills."""
        return {str(row["strategy"]) for row in self.rows("SELECT DISTINCT strategy FROM fills")}

    def held(self) -> dict[str, int]:
        """Return signed shares by symbol, as the control socket tells."""
        lines = json.loads(self.ctl("positions", "--json").stdout)["positions"]
        return {line["symbol"]: line["quantity"] for line in lines}


def differences(broker: Path, journal: Path) -> list[compare_books.Finding]:
    """Return where the files differ, as the third party sees it."""
    return compare_books.compare(compare_books.read(broker, journal))


def acted_twice(daemon: Paper) -> list[dict[str, Any]]:
    """Return the bars that a strategy decided about more than once the same."""
    return daemon.rows(
        "SELECT strategy, symbol, action, ts, count(*) AS times FROM signals "
        "GROUP BY strategy, symbol, action, ts HAVING count(*) > 1"
    )


def reaches(daemon: Paper, ts: int, seconds: float = 60.0) -> None:
    """Wait until a daemon has taken a bar after a moment of data time."""
    eventually(lambda: position(daemon) > ts, f"data time goes beyond {ts}", seconds)


def position(daemon: Paper) -> int:
    """Return the close of the last bars that the journal has as taken, UTC ns."""
    return int(daemon.mark("feed_position") or 0)
