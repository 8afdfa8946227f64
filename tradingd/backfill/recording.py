"""What became of the tasks of one run: their lines, and the summary of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tradingd.backfill.job import Outcome
from tradingd.backfill.manifest import Manifest
from tradingd.backfill.planning import Plan, Setting
from tradingd.backfill.records import Line, Named, Status, iso

type Progress = Callable[[int, int, str], None]


class Recording:
    """The lines of a run; appends them to the manifest in the order of the tasks.

    Parameters
    ----------
    run : str
        Names the run.
    planned, setting
        What it does.
    wall : Callable
        UTC ns.
    progress : Callable
        Told of tasks done, all of them, and the last one's name.
    """

    def __init__(
        self,
        run: str,
        planned: Plan,
        setting: Setting,
        *,
        wall: Callable[[], int],
        progress: Progress,
    ) -> None:
        self.run = run
        self._planned = planned
        self._setting = setting
        self._wall = wall
        self._progress = progress
        self._manifest = Manifest(setting.root)
        self._lines: dict[int, Line] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is known so far, in the order of the tasks."""
        return tuple(self._lines[index] for index in sorted(self._lines))

    def add(self, outcomes: Mapping[int, Outcome]) -> None:
        """Record how tasks ended, by their index."""
        lines = {index: self._line(index, one) for index, one in outcomes.items()}
        self._lines |= lines
        self._manifest.add(lines.values())
        for line in list(lines.values())[-1:]:
            done, total = len(self._lines), len(self._planned.tasks)
            self._progress(done, total, f"{line.symbol} {line.day}")

    def close(self) -> None:
        """Append what waits for tasks that will not end any more."""
        self._manifest.close()

    def _line(self, index: int, outcome: Outcome) -> Line:
        task, job = self._planned.tasks[index], self._planned.jobs.get(index)
        has_files = job is not None and outcome.status in (Status.WRITE, Status.SKIP)
        has_trades = has_files and outcome.trades is not None
        return Line(
            contract="backfill-manifest",
            schema_version="1.0.0",
            at=iso(self._wall()),
            run=self.run,
            index=index,
            symbol=task.symbol,
            day=task.day,
            status=outcome.status,
            rows=outcome.rows,
            path=self._relative(job.snapshots) if job and has_files else "",
            provider=self._setting.tag,
            vendor_symbol=job.vendor_symbol if job else "",
            window_start=job.window.start_ns if job else None,
            window_end=job.window.end_ns if job else None,
            trades=outcome.trades,
            trades_path=self._relative(job.trades) if job and job.trades and has_trades else "",
            bytes=outcome.bytes,
            tries=outcome.tries,
            seconds=outcome.seconds,
            reason=outcome.reason,
        )

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._setting.root).as_posix()


def named(lines: tuple[Line, ...], *statuses: Status) -> tuple[Named, ...]:
    """Return the tasks that ended so, for the summary."""
    return tuple(
        Named(symbol=one.symbol, day=one.day, reason=one.reason)
        for one in lines
        if one.status in statuses
    )
