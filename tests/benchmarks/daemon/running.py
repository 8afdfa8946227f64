"""The real `tradingd run` in a process of its own, its folders under a temporary one."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil

from tradingd.control.answers import Status
from tradingd.control.client import ControlClient

REPOSITORY = Path(__file__).resolve().parents[3]
TRADERS = "tests.benchmarks.daemon.traders"
PATIENCE = 120.0
INSTANCE = f"bench{os.getpid()}"
"""A name of its own: root's sockets all lie in one folder."""
OPEN = (
    "risk=open",
    "feed=synthetic",
    "telemetry.metrics_port=0",
    "mode.cash=100000000",
)
"""Limits out of reach: what is measured is the machinery, with every check still evaluated."""


def custom(name: str, *more: str) -> tuple[str, ...]:
    """Return the overrides that name one of our strategies."""
    return ("strategy=custom", f"strategy.path={TRADERS}:{name}", "strategy.bars=1m", *more)


class Daemon:
    """One `tradingd run`, watched from outside.

    Parameters
    ----------
    home : Path
        Folder of everything it writes.
    overrides : str
        What it is told beyond the packaged configuration.
    """

    def __init__(self, home: Path, *overrides: str) -> None:
        self.home = home
        run = home / "run"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(str(home / "notify.sock"))
        self._notices.settimeout(0.2)
        self.log = home / "log.txt"
        environment = {
            **os.environ,
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_RUNTIME_DIR": str(run),
            # As its unit runs it: told of by notices and the log, without a screen.
            "NOTIFY_SOCKET": str(home / "notify.sock"),
            "INVOCATION_ID": "benchmark",
            "PYTHONPATH": str(REPOSITORY),
        }
        environment.pop("TRADINGD_CONF", None)
        self.started = time.perf_counter()
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "tradingd", "run", "-i", INSTANCE, *overrides],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        paths = [run / "tradingd" / f"{INSTANCE}.sock", Path(f"/run/tradingd/{INSTANCE}.sock")]
        self.client = ControlClient(INSTANCE, paths=paths, timeout=60.0)
        self.ready_after = 0.0
        self.told: list[tuple[str, float]] = []
        """Every STATUS on the way to READY, and the seconds until it came."""

    def ready(self) -> Self:
        """Wait for READY=1."""
        while time.perf_counter() - self.started < PATIENCE:
            if self.process.poll() is not None:
                raise SystemExit(f"the daemon ended:\n{self.log.read_text()[-3000:]}")
            try:
                said = self._notices.recv(8192)
            except TimeoutError:
                continue
            after = time.perf_counter() - self.started
            status = re.search(r"STATUS=starting: (.*)", said.decode())
            if status:
                self.told.append((status[1], after))
            if b"READY=1" in said:
                self.ready_after = after
                return self
        raise SystemExit("the daemon did not become ready")

    def hear(self) -> None:
        """Empty the socket of notices, so that the daemon never waits for room."""
        self._notices.setblocking(False)
        try:
            while self._notices.recv(8192):
                pass
        except BlockingIOError:
            self._notices.settimeout(0.2)

    def rest(self, seconds: float) -> None:
        """Let time pass, hearing the notices as systemd does."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.hear()
            time.sleep(0.1)

    def status(self) -> Status:
        """Ask for the whole picture."""
        self.hear()
        return self.client.get("status", Status)

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.home / "state" / "tradingd" / INSTANCE

    def rss(self) -> float:
        """Return the resident memory in MB."""
        return float(self.process.memory_info().rss) / 1e6

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def stop(self) -> float:
        """End it in order; return the seconds that took."""
        began = time.perf_counter()
        if self.process.poll() is None:
            self.process.terminate()
            while self.process.poll() is None and time.perf_counter() - began < PATIENCE:
                self.hear()
                time.sleep(0.005)
        took = time.perf_counter() - began
        self._notices.close()
        return took


@contextmanager
def daemon(*overrides: str) -> Iterator[Daemon]:
    """Run a daemon in a temporary folder; it has ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        one = Daemon(Path(folder), *overrides)
        try:
            yield one
        finally:
            if one.process.poll() is None:
                one.stop()
            if one.process.poll() is None:
                one.process.kill()
