"""A daemon under its units that trades at Alpaca's test server, a unit of the same machine."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.acceptance import compare_books
from tests.acceptance.daemon.alpaca_server import KEY_ID, SECRET, Days
from tests.systemd.machine import VERSION, Machine
from tests.systemd.trading import COPY, Trading, seal
from tradingd.app.sim.drill import rate

CONFIG = """
mode: paper
broker:
  option: alpaca
  endpoint: {url}
  key_id: credential:broker-key-{name}
  secret_key: credential:broker-secret-{name}
  requests_per_minute: {rate}
feed:
  option: alpaca
  endpoint: {url}
  clock: data
  key_id: credential:broker-key-{name}
  secret_key: credential:broker-secret-{name}
universe: {{option: symbols, symbols: [{symbols}]}}
strategy:
  option: both
  members:
    mean_reversion: {{z_entry: 1.2, rsi_oversold: 45, rsi_overbought: 55}}
risk: open
telemetry: {{metrics_port: 0}}
"""
"""Signals come often, and no limit holds them back: orders are wanted here, not a result."""

SERVER = """
[Unit]
Description=Alpaca's test server
[Service]
ExecStart=/opt/tradingd/releases/{version}/bin/python -P -m tradingd.simalpaca {words}
Environment=SIMALPACA_KEY_ID={key_id} "SIMALPACA_SECRET_KEY={secret}"
StateDirectory=alpaca/{name}
User=nobody
"""


class AlpacaTrading(Trading):
    """An instance whose account is at the test server.

    Parameters
    ----------
    machine : Machine
    name : str
        Of the instance; its server is ``alpaca-NAME.service``.
    days : Days
        The market.
    speed : float
        Data seconds per wall second.
    """

    def __init__(self, machine: Machine, name: str, days: Days, *, speed: float) -> None:
        super().__init__(machine, name)
        self.server = f"alpaca-{name}.service"
        self._days = days
        self._speed = speed

    def install(self) -> None:
        """Start the server; write the instance's configuration and seal its credentials."""
        self._start_server()
        for kind, text in (("key", KEY_ID), ("secret", SECRET)):
            seal(self.machine, f"broker-{kind}-{self.name}", text)
        text = CONFIG.format(
            name=self.name,
            url=self.endpoint["url"],
            rate=rate(self._speed),
            symbols=", ".join(self._days.symbols),
        )
        self.machine.write_config(self.name, text)

    def remove(self) -> None:
        """End both."""
        self.machine.forget(self.name)
        self.machine.systemctl("stop", self.server, check=False)

    @property
    def folder(self) -> Path:
        """The server's state folder."""
        return self.machine.path(f"/var/lib/alpaca/{self.name}")

    @property
    def endpoint(self) -> dict[str, Any]:
        """Where the server is."""
        facts: dict[str, Any] = json.loads((self.folder / "endpoint.json").read_bytes())
        return facts

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Ask the daemon's journal."""
        return self.query("journal.sqlite", statement)

    def at_broker(self) -> dict[str, int]:
        """Return signed shares by symbol, from the server's own file."""
        copy = self._copied(f"/var/lib/alpaca/{self.name}/simbroker.sqlite")
        return dict(compare_books.read(copy, self._copied(self._journal)).positions)

    def differences(self) -> list[compare_books.Finding]:
        """Return where both files differ; the journal is copied first."""
        journal = self._copied(self._journal)
        broker = self._copied(f"/var/lib/alpaca/{self.name}/simbroker.sqlite")
        return compare_books.compare(compare_books.read(broker, journal))

    @property
    def _journal(self) -> str:
        return f"/var/lib/tradingd/{self.name}/journal.sqlite"

    def _copied(self, path: str) -> Path:
        """Copy a SQLite file that may be in use; SQLite resolves names, so it is done inside."""
        name = f"/tmp/{self.name}-{Path(path).name}"
        self.machine.exec("/usr/bin/python3", "-c", COPY, path, name)
        here = Path(str(self._days.store.parent)) / f"copy-{Path(path).name}"
        shutil.copyfile(self.machine.path(name), here)
        return here

    def _start_server(self) -> None:
        store = f"/var/lib/alpaca-history/{self.name}"
        shutil.copytree(self._days.store, self.machine.path(store))
        days = self._days
        words = (
            f"--state /var/lib/alpaca/{self.name} --store {store} --bars 1m "
            f"--start {days.first} --end {days.last} --symbols {','.join(days.symbols)} "
            f"--speed {self._speed:g} --wait-for-client "
            f"--requests-per-minute {rate(self._speed)}"
        )
        unit = self.machine.path(f"/run/systemd/system/{self.server}")
        text = SERVER.format(
            version=VERSION,
            words=words,
            key_id=KEY_ID,
            secret=SECRET.replace("%", "%%"),
            name=self.name,
        )
        unit.write_text(text)
        self.machine.systemctl("daemon-reload")
        self.machine.systemctl("start", self.server)
        self.machine.wait_for((self.folder / "endpoint.json").exists, "the test server serves")
