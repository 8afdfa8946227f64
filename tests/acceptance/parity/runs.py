"""Run one strategy over the same bars as a backtest and as a paper session, costs aligned."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.acceptance.command import environment_in, folder_of
from tests.acceptance.parity.books import Books, of_backtest, of_session
from tests.acceptance.patience import PATIENT
from tradingd.domain.market import Resolution

BACKTEST: Final = ("execution.slippage.kind=none", "broker.fees=none", "broker.borrow_rate=0")
"""No costs; orders still arrive 250 ms after the bar they were decided on."""

PAPER: Final = (
    *PATIENT,
    "broker.half_spread_bps=0",
    "broker.commission_per_share=0",
    "broker.commission_min=0",
    "telemetry.metrics_port=0",
    "mode.warm_up_bars=0",
    "feed.speed=0",
    "supervision.kill_drawdown_percent=0",
)
"""The same of the simulated broker; a session that begins as cold as a backtest, and has no kill
switch that looks at the account: a backtest has none."""


class Pair(NamedTuple):
    """What both did."""

    backtest: Books
    session: Books


class Machine:
    """One home with a store, whose backtests and sessions are compared.

    Parameters
    ----------
    home : Path
        Holds everything; short, since it holds sockets.
    resolution : Resolution
        Length of the bars.
    """

    def __init__(self, home: Path, resolution: Resolution) -> None:
        self.home = home
        self.resolution = resolution
        (home / "run").mkdir(exist_ok=True, mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        """What every process is given."""
        return {
            **environment_in(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "PYTHONPATH": os.pathsep.join((str(self.home), str(Path(__file__).parent))),
        }

    def backtest(self, *overrides: str) -> Books:
        """Run a backtest."""
        ended = self._run("backtest", "--json", *BACKTEST, *overrides)
        return of_backtest(folder_of(ended), self.resolution)

    def session(self, instance: str, *overrides: str, goes_on: bool = False) -> Books:
        """Run a paper session to its end; `goes_on`: that of an instance which has run before."""
        assert self.journal(instance).exists() is goes_on, f"{instance}: whose state is that?"
        ended = self._run("run", "--json", "--instance", instance, *PAPER, *overrides)
        assert ended.returncode == 0, ended.stderr[-4000:]
        return self.books(instance)

    def started(self, instance: str, *overrides: str) -> subprocess.Popen[bytes]:
        """Start a paper session and do not wait for it."""
        return subprocess.Popen(
            self._command("run", "--json", "--instance", instance, *PAPER, *overrides),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            cwd=self.home,
        )

    def journal(self, instance: str) -> Path:
        """Return a session's journal."""
        return self.home / "state" / "tradingd" / instance / "journal.sqlite"

    def books(self, instance: str) -> Books:
        """Return what a session did."""
        return of_session(self.journal(instance), self.resolution)

    def data(self, *words: str) -> None:
        """Fill the store."""
        ended = self._run("data", "import", *words)
        assert ended.returncode == 0, ended.stderr

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*words),
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.home,
            timeout=600,
        )

    @staticmethod
    def _command(*words: str) -> Sequence[str]:
        return (sys.executable, "-m", "tradingd", *words)


def window(start: str, end: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the same days for a backtest and for a session."""
    return (f"mode.start={start}", f"mode.end={end}"), (f"feed.start={start}", f"feed.end={end}")


def shown(thing: object) -> str:
    """Return a row for a person."""
    return json.dumps(thing, default=str)
