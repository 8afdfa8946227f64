"""One task with all that its work needs, and what became of it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tradingd.backfill.provider import Window
from tradingd.backfill.records import Status
from tradingd.backfill.tasks import Task
from tradingd.config.backfill import BackfillConfig
from tradingd.kits.failure import Failure
from tradingd.level2 import facts


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A task that has a window.

    Attributes
    ----------
    index : int
        Place in the run, from 0.
    vendor_symbol : str
        The symbol in the vendor's spelling.
    snapshots, trades : pathlib.Path
        Files to write; `trades` is None when they are not asked for.
    source : str
        The provider's tag.
    origin : mapping
        What else the files say of where they come from, such as the dataset.
    config : BackfillConfig
    """

    index: int
    task: Task
    vendor_symbol: str
    window: Window
    snapshots: Path
    trades: Path | None
    source: str
    origin: Mapping[str, str]
    config: BackfillConfig

    def trade_facts(self) -> dict[str, str]:
        """Return what the file of trades says of itself; one with other facts is another file."""
        task = self.task
        return facts.trade_facts(
            symbol=task.symbol, day=task.day, source=self.source, **self._facts()
        )

    def snapshot_facts(self) -> dict[str, str]:
        """Return what the file of snapshots says of itself."""
        config, task = self.config, self.task
        return facts.snapshot_facts(
            symbol=task.symbol,
            day=task.day,
            levels=config.levels,
            interval_ms=config.interval_ms,
            on_change=config.on_change,
            source=self.source,
            stale_seconds=f"{config.stale_seconds:g}",
            **self._facts(),
        )

    def _facts(self) -> dict[str, str]:
        return {
            "vendor_symbol": self.vendor_symbol,
            "window_start": str(self.window.start_ns),
            "window_end": str(self.window.end_ns),
            **self.origin,
        }


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one task ended; `fatal` is what every other task would meet as well."""

    status: Status
    rows: int = 0
    trades: int | None = None
    bytes: int = 0
    tries: int = 0
    seconds: float = 0.0
    reason: str = ""
    fatal: Failure | None = None
