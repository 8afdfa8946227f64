"""Sweep a strategy's parameters: many trials, one table, nothing lost when one of them fails."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tradingd.app.sweep_report import SHARPE, SweepReport, report_of
from tradingd.app.trial import (
    BACKTEST,
    ONE_THREAD,
    Trial,
    TrialRecord,
    TrialRow,
    TrialWork,
    backtest_metrics,
    record_path,
    unknown_metric,
    with_backtest_mode,
)
from tradingd.config.environment import TABLE, read_environment
from tradingd.config.load import Loaded, load
from tradingd.config.multirun import multirun
from tradingd.config.paths import results_root
from tradingd.config.sweep_plan import SweepPlan, plan_sweep
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import stable_hash

type Progress = Callable[[int, int], None]
"""Called with (trials ended, trials in all) from a thread of its own."""


def sweep(
    overrides: Sequence[str],
    *,
    objective: str = SHARPE,
    overlay: Path | None = None,
    progress: Progress = lambda _done, _all: None,
    function: str = BACKTEST,
) -> SweepReport:
    """Run every trial and rank them.

    Parameters
    ----------
    overrides : sequence of str
        As for one run; comma lists and ranges become trials, ``hydra/launcher=joblib`` spreads
        them over processes, ``hydra/sweeper=optuna`` searches instead of enumerating.
    objective : str
        Metric to compare by.
    overlay : Path, optional
        Site folder that wins over the packaged tree.
    progress : callable
        Told how many trials ended.
    function : str
        ``module:function`` that turns one configuration into metrics.

    Raises
    ------
    Failure
        ``CONFIG`` when no trial could be composed, ``USAGE`` for an objective that no result
        has: nothing ran and nothing was written. ``TRIALS_FAILED`` when the launcher broke before
        any trial ended.
    """
    if function == BACKTEST and objective not in backtest_metrics():
        raise unknown_metric(objective, backtest_metrics())
    stated = with_backtest_mode(overrides)
    plan = plan_sweep(stated, overlay=overlay)
    folder = _new_folder(results_root(_sample(plan, overlay).config), stated)
    trial = Trial(
        function=function,
        folder=str(folder),
        objective=objective,
        variables=_variables(),
        import_path=tuple(str(Path(entry).resolve()) for entry in (*sys.path, "")),
    )
    fault = _run(stated, plan, overlay, folder, trial, progress)
    records = _collect(folder, plan, fault)
    report = report_of(folder, plan, objective, [record.row for record in records])
    _keep(folder, report, records)
    if isinstance(fault, KeyboardInterrupt):
        raise fault
    return report


def _sample(plan: SweepPlan, overlay: Path | None) -> Loaded:
    """Load one configuration of the sweep, or raise what every trial would complain about.

    Single trials may contradict themselves; a misspelt key breaks all of them alike.
    """
    failures: list[Failure] = []
    for overrides in (*plan.corners, plan.fixed):
        try:
            return load(overrides, overlay=overlay)
        except Failure as failure:
            failures.append(failure)
            if len(failures) > 1 and failure.line() == failures[0].line():
                break
    raise failures[0]


def _new_folder(root: Path, overrides: Sequence[str]) -> Path:
    """Claim a folder named by what is swept; a repetition gets the next number."""
    name = f"sweep-{stable_hash(list(overrides))[:10]}"
    (root / "sweeps").mkdir(parents=True, exist_ok=True)
    attempt = 1
    while True:
        folder = root / "sweeps" / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            folder.mkdir()
        except FileExistsError:
            attempt += 1
        else:
            record_path(folder, 0).parent.mkdir()
            return folder.resolve()


def _variables() -> dict[str, str]:
    values = read_environment().values
    return {one.variable: values[one.variable] for one in TABLE if one.variable in values}


def _run(
    overrides: Sequence[str],
    plan: SweepPlan,
    overlay: Path | None,
    folder: Path,
    trial: Trial,
    progress: Progress,
) -> BaseException | None:
    """Run the trials; return what ended the sweep early, if anything did."""
    for name, one in ONE_THREAD.items():
        os.environ.setdefault(name, one)
    try:
        with _watched(folder, plan.jobs, progress):
            multirun(overrides, plan, overlay=overlay, folder=folder / "hydra", job=trial)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what was done is kept
        return error
    return None


@contextmanager
def _watched(folder: Path, jobs: int, progress: Progress) -> Iterator[None]:
    """Report progress from the records that appear, whichever process writes them."""
    ended = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(folder, jobs, progress, ended), name="sweep-progress", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(folder: Path, jobs: int, progress: Progress, ended: threading.Event) -> None:
    seen = -1
    last_look = False
    while not last_look:
        last_look = ended.wait(0.2)
        count = len(_records(folder))
        if count != seen:
            seen = count
            progress(count, jobs)


def _records(folder: Path) -> list[Path]:
    return sorted((folder / "trials").glob("[0-9]*.json"))


def _collect(folder: Path, plan: SweepPlan, fault: BaseException | None) -> list[TrialRecord]:
    """Read every record; a trial that left none is a failed row, never a silent gap."""
    records = [
        msgspec.json.decode(path.read_bytes(), type=TrialRecord) for path in _records(folder)
    ]
    if not records and fault is not None:
        shutil.rmtree(folder)
        if isinstance(fault, Failure | KeyboardInterrupt):
            raise fault
        raise _not_started(plan, fault) from fault
    seen = {record.row.number for record in records}
    missing = [number for number in range(plan.jobs) if number not in seen]
    if fault is None and plan.sweeper == "optuna" and records:
        missing = []  # a sampler may stop early
    return sorted(
        [*records, *(_lost(number, plan, fault) for number in missing)],
        key=lambda record: record.row.number,
    )


def _not_started(plan: SweepPlan, fault: BaseException) -> Failure:
    return Failure(
        "no trial ended",
        code=ExitCode.TRIALS_FAILED,
        where=f"hydra/launcher={plan.launcher}",
        found=f"{type(fault).__name__}: {fault}".splitlines()[0],
        next_step="start one with: ray start --head" if plan.launcher == "ray_cluster" else "",
    )


def _lost(number: int, plan: SweepPlan, fault: BaseException | None) -> TrialRecord:
    reason = f"{type(fault).__name__}: {fault}".splitlines()[0] if fault else "no worker reported"
    row = TrialRow(
        number=number,
        overrides=plan.grid[number] if number < len(plan.grid) else (),
        status="failed",
        exit_code=fault.code if isinstance(fault, Failure) else ExitCode.BUG,
        error=f"the trial left no result ({reason})",
    )
    return TrialRecord(row=row, work=TrialWork(number=number, node="", pid=0, seconds=0.0))


def _keep(folder: Path, report: SweepReport, records: Sequence[TrialRecord]) -> None:
    """Leave one result file, one timing file and a traceback per failed trial."""
    for record in records:
        if record.report:
            write_bytes(folder / "errors" / f"{record.row.number:05d}.txt", record.report.encode())
    timing = {"trials": [record.work for record in records]}
    write_bytes(folder / "timing.json", msgspec.json.format(msgspec.json.encode(timing)))
    write_bytes(folder / "sweep.json", msgspec.json.format(msgspec.json.encode(report)))
    shutil.rmtree(folder / "trials")
    shutil.rmtree(folder / "hydra", ignore_errors=True)
