"""`tradingd backfill l2` as a real process against Databento's service on loopback."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.command import environment_in
from tests.servers.databento_history import KEY, HistoryServer

FROG = ("FROG", "2025-04-03")
AAPL = ("AAPL", "2024-10-21")

type Task = tuple[str, str]


class Backfill:
    """One person's backfills: a home folder, a trade log, a server.

    Parameters
    ----------
    home : Path
        Data are below it.
    server : HistoryServer
    """

    def __init__(self, home: Path, server: HistoryServer) -> None:
        self.home = home
        self.server = server
        self.root = home / "data" / "tradingd" / "level2"

    def words(self, tasks: Sequence[Task], *more: str, limit: str = "1000") -> list[str]:
        """Return the words of the command."""
        log = self.home / "trades.csv"
        lines = ["Symbol,Date", *(f"{symbol},{day}" for symbol, day in tasks)]
        log.write_text("\n".join(lines) + "\n")
        return [
            "backfill",
            "l2",
            "--log",
            str(log),
            *[word for word in more if word.startswith("--")],
            "backfill.enabled=true",
            *(() if "backfill.provider.kind=folder" in more else self._databento(limit)),
            "backfill.backoff_initial_ms=10",
            "backfill.backoff_max_ms=50",
            *[word for word in more if not word.startswith("--")],
        ]

    def _databento(self, limit: str) -> list[str]:
        return [
            f"backfill.provider.endpoint={self.server.url}",
            f"backfill.provider.spending_limit={limit}",
            "backfill.provider.timeout=2",
        ]

    def run(
        self, tasks: Sequence[Task], *more: str, limit: str = "1000", key: str = KEY
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "tradingd", *self.words(tasks, *more, limit=limit)],
            capture_output=True,
            text=True,
            env={**environment_in(self.home), "DATABENTO_API_KEY": key},
            cwd=self.home,
            timeout=120,
        )

    def start(self, tasks: Sequence[Task], *more: str, key: str = KEY) -> subprocess.Popen[str]:
        """Begin the command."""
        env = {**environment_in(self.home), "DATABENTO_API_KEY": key}
        return subprocess.Popen(
            [sys.executable, "-m", "tradingd", *self.words(tasks, *more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            cwd=self.home,
        )

    def file(self, task: Task, kind: str = "snapshots", tag: str = "databento") -> Path:
        """Return where a task's file belongs."""
        return self.root / task[0] / f"{task[1]}_{kind}_{tag}.parquet"

    def manifest(self) -> list[dict[str, Any]]:
        """Return the lines of all runs."""
        path = self.root / "backfill_l2_manifest.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def summary(self) -> dict[str, Any]:
        """Return the last run's summary."""
        found: dict[str, Any] = json.loads((self.root / "backfill_l2_summary.json").read_text())
        return found

    def statuses(self) -> list[tuple[str, str]]:
        """Return (symbol, status) of the last run, in the manifest's order."""
        lines = self.manifest()
        return [(one["symbol"], one["status"]) for one in lines if one["run"] == lines[-1]["run"]]

    def debris(self) -> list[str]:
        """Return what a run must not leave: temporary files, downloads, their folders."""
        if not self.root.exists():
            return []
        return [
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.suffix in (".partial", ".zst", ".part", ".dbn")
            or (path.is_dir() and path.parent.name == ".backfill")
        ]


def summary_line(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the one SUMMARY line, without what differs from run to run."""
    (line,) = [one for one in ended.stdout.splitlines() if one.startswith("SUMMARY")]
    return line.partition(" duration=")[0]
