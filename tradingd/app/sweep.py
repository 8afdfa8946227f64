"""Sweep a strategy's parameters: many trials, one table, nothing lost when one of them fails."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingd.app.multiplicity import deflated_sharpe, expected_maximum_sharpe
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
from tradingd.config.multirun import SweepPlan, multirun, plan_sweep
from tradingd.config.paths import results_root
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import stable_hash

SHARPE: Final = "sharpe"

type Progress = Callable[[int, int], None]
"""Called with (trials ended, trials in all) from a thread of its own."""


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a sweep; also the content of `sweep.json`.

    Parameters
    ----------
    trials : tuple of TrialRow
        Best objective first; trials without one last.
    parameters : tuple of str
        Keys that varied.
    best : int, optional
        Number of the best trial.
    expected_maximum : float, optional
        Sharpe ratio the best of so many trials would reach by luck alone (other objectives: None).
    deflated_sharpe : float, optional
        Probability that the best trial's true Sharpe ratio is above that.
    exit_code : int
        ``TRIALS_FAILED`` when a run went wrong or no trial finished. Refused trials, whose
        parameters contradict each other, are expected in a grid and do not count.
    """

    sweep_id: str
    folder: str
    objective: str
    direction: Literal["maximize", "minimize"]
    launcher: str
    sweeper: str
    parameters: tuple[str, ...]
    trials: tuple[TrialRow, ...]
    done: int
    refused: int
    failed: int
    best: int | None
    expected_maximum: float | None
    deflated_sharpe: float | None
    exit_code: int


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
        has: nothing ran and nothing was written.
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
    report = _report(folder, plan, objective, [record.row for record in records])
    _keep(folder, report, records)
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
) -> Exception | None:
    """Run the trials; return what broke the sweep itself, if anything did."""
    for name, one in ONE_THREAD.items():
        os.environ.setdefault(name, one)
    try:
        with _watched(folder, plan.jobs, progress):
            multirun(overrides, plan, overlay=overlay, folder=folder / "hydra", job=trial)
    except Exception as error:  # noqa: BLE001 - a killed worker, an unreachable cluster: see below
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


def _collect(folder: Path, plan: SweepPlan, fault: Exception | None) -> list[TrialRecord]:
    """Read every record; a trial that left none is a failed row, never a silent gap."""
    records = [
        msgspec.json.decode(path.read_bytes(), type=TrialRecord) for path in _records(folder)
    ]
    if not records and isinstance(fault, Failure):
        shutil.rmtree(folder)
        raise fault
    seen = {record.row.number for record in records}
    missing = [number for number in range(plan.jobs) if number not in seen]
    if fault is None and plan.sweeper == "optuna" and records:
        missing = []  # a sampler may stop early
    return sorted(
        [*records, *(_lost(number, plan, fault) for number in missing)],
        key=lambda record: record.row.number,
    )


def _lost(number: int, plan: SweepPlan, fault: Exception | None) -> TrialRecord:
    reason = f"{type(fault).__name__}: {fault}".splitlines()[0] if fault else "no worker reported"
    row = TrialRow(
        number=number,
        overrides=plan.grid[number] if number < len(plan.grid) else (),
        status="failed",
        exit_code=fault.code if isinstance(fault, Failure) else ExitCode.BUG,
        error=f"the trial left no result ({reason})",
    )
    return TrialRecord(row=row, work=TrialWork(number=number, node="", pid=0, seconds=0.0))


def _report(folder: Path, plan: SweepPlan, objective: str, rows: Sequence[TrialRow]) -> SweepReport:
    counts = {status: sum(row.status == status for row in rows) for status in ("done", "failed")}
    ranked = _ranked(rows, maximise=plan.maximise)
    scores = [row.objective for row in rows if row.objective is not None]
    by_luck = expected_maximum_sharpe(scores) if objective == SHARPE else None
    clean = counts["done"] > 0 and not counts["failed"]
    return SweepReport(
        sweep_id=folder.name,
        folder=str(folder),
        objective=objective,
        direction="maximize" if plan.maximise else "minimize",
        launcher=plan.launcher,
        sweeper=plan.sweeper,
        parameters=plan.parameters,
        trials=ranked,
        done=counts["done"],
        refused=len(rows) - counts["done"] - counts["failed"],
        failed=counts["failed"],
        best=ranked[0].number if scores else None,
        expected_maximum=by_luck,
        deflated_sharpe=_deflated(ranked[0], by_luck) if ranked else None,
        exit_code=ExitCode.OK if clean else ExitCode.TRIALS_FAILED,
    )


def _deflated(best: TrialRow, by_luck: float | None) -> float | None:
    probability = best.metrics.get("probabilistic_sharpe")
    if by_luck is None or best.objective is None or probability is None:
        return None
    return deflated_sharpe(best.objective, probability, by_luck)


def _ranked(rows: Sequence[TrialRow], *, maximise: bool) -> tuple[TrialRow, ...]:
    sign = -1 if maximise else 1

    def order(row: TrialRow) -> tuple[bool, float, int]:
        return row.objective is None, sign * (row.objective or 0.0), row.number

    return tuple(sorted(rows, key=order))


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
