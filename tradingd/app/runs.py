"""Reports on finished runs, from the results folder that a configuration or a person names."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradingd.app.trial import with_backtest_mode
from tradingd.config.load import load
from tradingd.config.paths import results_root
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.catalog import (
    RunRow,
    Status,
    failed,
    find_run,
    list_runs,
    read_error,
    read_run,
)
from tradingd.results.compare import Comparison
from tradingd.results.compare import compare as compare_runs
from tradingd.results.folder import RunError
from tradingd.results.manifest import Manifest
from tradingd.results.metrics import Metrics


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd runs list`: the most recent run first."""

    root: str
    runs: tuple[RunRow, ...]


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd runs show`: documents and files of one run."""

    run_id: str
    status: Status
    folder: str
    files: tuple[str, ...]
    manifest: Manifest | None = None
    metrics: Metrics | None = None
    error: RunError | None = None


def root_of(root: str | None, overrides: Sequence[str]) -> Path:
    """Return the results folder: the one a person names, else the configuration's.

    Raises
    ------
    Failure
        RUN_NOT_FOUND when a person names a folder that does not exist.
    """
    if root is not None:
        return _existing(Path(os.path.expanduser(root)))  # noqa: PTH111 - pathlib raises on ~nobody
    return results_root(load(with_backtest_mode(overrides)).config)


def _existing(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    raise Failure(
        "the results folder does not exist",
        code=ExitCode.RUN_NOT_FOUND,
        where="--root",
        expected="a folder that holds run folders",
        found=str(folder),
        next_step="without --root the configured folder is listed",
    )


def runs_list(root: Path) -> RunList:
    """List every run under a folder."""
    return RunList(root=str(root), runs=tuple(list_runs(root)))


def runs_show(root: Path, name: str) -> RunReport:
    """Describe one run, finished or failed."""
    folder = find_run(root, name)
    files = tuple(sorted(str(path) for path in folder.path.iterdir()))
    if failed(folder):
        return RunReport(
            run_id=folder.run_id,
            status="failed",
            folder=str(folder.path),
            files=files,
            error=read_error(folder),
        )
    run = read_run(folder)
    return RunReport(
        run_id=run.run_id,
        status="finished",
        folder=str(folder.path),
        files=files,
        manifest=run.manifest,
        metrics=run.metrics,
    )


def runs_compare(root: Path, names: Sequence[str]) -> Comparison:
    """Put two or more finished runs side by side, in the order given."""
    if len(names) < 2:
        raise Failure(
            "nothing to compare",
            code=ExitCode.USAGE,
            where="RUN",
            expected="two runs or more",
            found=str(len(names)),
            next_step="tradingd runs list, then tradingd runs compare RUN RUN",
        )
    return compare_runs([read_run(find_run(root, name)) for name in names])
