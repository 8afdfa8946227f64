"""Find and read the runs under a results folder."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingd.kits.atomicfile import TEMPORARY_SUFFIX
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.results.folder import RunError, RunFolder
from tradingd.results.layout import ERROR, MANIFEST, METRICS
from tradingd.results.manifest import Manifest
from tradingd.results.metrics import Metrics

LATEST: Final = "latest"
"""Word that names the most recent finished or failed run."""

type Status = Literal["finished", "failed", "unfinished", "damaged"]
"""Unfinished: still running, or killed before it could say why it ended."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run in the list; `ended` is UTC, from the file system."""

    run_id: str
    status: Status
    ended: dt.datetime
    strategy: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    total_return: float | None = None
    sharpe: float | None = None
    max_drawdown: float | None = None
    trips: int | None = None
    error: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of a finished run."""

    folder: Path
    run_id: str
    manifest: Manifest
    metrics: Metrics


def list_runs(root: Path) -> list[RunRow]:
    """Return every run under a folder, the most recent first; none when there is no folder."""
    return [_row(path) for path in _newest_first(root, hidden=True)]


def find_run(root: Path, name: str) -> RunFolder:
    """Return the run of an id, of a prefix that only one id has, or the latest one.

    Raises
    ------
    Failure
        RUN_NOT_FOUND, naming the nearest id or the ids that share the prefix.
    """
    ids = [path.name for path in _newest_first(root, hidden=False)]
    if name == LATEST and ids:
        return RunFolder.open(root, ids[0])
    matches = [name] if name in ids else [one for one in ids if name and one.startswith(name)]
    if len(matches) == 1:
        return RunFolder.open(root, matches[0])
    raise _not_found(root, name, matches, ids)


def read_run(folder: RunFolder) -> Run:
    """Read a finished run's documents.

    Raises
    ------
    Failure
        RUN_NOT_FOUND for a run that failed, UNREADABLE_INPUT for damaged documents.
    """
    if folder.file(ERROR).exists():
        raise Failure(
            f"run {folder.run_id} failed and has no metrics",
            code=ExitCode.RUN_NOT_FOUND,
            where=str(folder.path),
            expected="a finished run",
            found=read_error(folder).message,
            next_step=f"tradingd runs show {folder.run_id}",
        )
    return Run(
        folder=folder.path,
        run_id=folder.run_id,
        manifest=_read(folder.file(MANIFEST), Manifest),
        metrics=_read(folder.file(METRICS), Metrics),
    )


def read_error(folder: RunFolder) -> RunError:
    """Read why a run failed."""
    return _read(folder.file(ERROR), RunError)


def failed(folder: RunFolder) -> bool:
    """Tell whether a run is marked as failed."""
    return folder.file(ERROR).exists()


def _newest_first(root: Path, *, hidden: bool) -> list[Path]:
    if not root.is_dir():
        return []
    runs = [path for path in root.iterdir() if _is_run(path, hidden)]
    return sorted(runs, key=lambda path: (-_ended(path), path.name))


def _is_run(path: Path, hidden: bool) -> bool:
    if path.name.startswith("."):
        return hidden and path.name.endswith(TEMPORARY_SUFFIX) and path.is_dir()
    return (path / MANIFEST).exists() or (path / ERROR).exists()


def _ended(path: Path) -> int:
    # The documents are written last; a folder's own time changes when someone adds a file.
    for name in (ERROR, METRICS):
        if (path / name).exists():
            return (path / name).stat().st_mtime_ns
    return path.stat().st_mtime_ns


def _row(path: Path) -> RunRow:
    ended = dt.datetime.fromtimestamp(_ended(path) // 1_000_000_000, tz=dt.UTC)
    if path.name.startswith("."):
        run_id = path.name[1 : -len(TEMPORARY_SUFFIX)]
        return RunRow(run_id=run_id, status="unfinished", ended=ended)
    folder = RunFolder(path.parent, path.name, path)
    try:
        return _failed_row(folder, ended) if failed(folder) else _finished_row(folder, ended)
    except Failure as failure:
        return RunRow(run_id=path.name, status="damaged", ended=ended, error=failure.line())


def _failed_row(folder: RunFolder, ended: dt.datetime) -> RunRow:
    error = read_error(folder)
    # A failure's line goes on with where, expected and found; `runs show` has all of it.
    message = (error.message or error.type).splitlines()[0].partition(" | ")[0]
    return RunRow(run_id=folder.run_id, status="failed", ended=ended, error=message)


def _finished_row(folder: RunFolder, ended: dt.datetime) -> RunRow:
    run = read_run(folder)
    return RunRow(
        run_id=run.run_id,
        status="finished",
        ended=ended,
        strategy=run.manifest.strategy,
        first_day=run.metrics.account.first_day,
        last_day=run.metrics.account.last_day,
        total_return=run.metrics.returns.total_return,
        sharpe=run.metrics.returns.sharpe,
        max_drawdown=run.metrics.returns.max_drawdown,
        trips=run.metrics.trades.trips,
    )


def _read[T](path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise Failure(
            "a run's document cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected=f"a {path.name} that tradingd wrote",
            found=str(error),
            next_step="run the backtest again; its inputs are in the other documents",
        ) from error


def _not_found(root: Path, name: str, matches: Sequence[str], ids: Sequence[str]) -> Failure:
    if matches:
        what, found = f"several runs begin with {name!r}", ", ".join(matches[:5])
        step = "give more of the id"
    else:
        close = nearest(name, ids)
        what, found = f"no run {name!r}", f"{len(ids)} other runs" if ids else "no runs"
        step = f"did you mean {close}? All of them: tradingd runs list" if close else ""
    return Failure(
        what,
        code=ExitCode.RUN_NOT_FOUND,
        where=str(root),
        expected="a run id, the unique beginning of one, or latest",
        found=found,
        next_step=step or ("tradingd runs list" if ids else "tradingd backtest"),
    )
