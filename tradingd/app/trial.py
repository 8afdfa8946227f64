"""One trial of a sweep: a pure function of its configuration that ends in a row, always."""

import importlib
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingd.config.decode import decode_from
from tradingd.config.environment import Environment, apply_environment, environment_keys
from tradingd.config.identity import config_hash, effective_tree
from tradingd.config.load import Loaded
from tradingd.config.mode import BacktestMode
from tradingd.config.multirun import Job
from tradingd.config.overrides import COMMAND_LINE, parse
from tradingd.config.sweep_plan import plain
from tradingd.config.system import SystemConfig
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

BACKTEST: Final = "tradingd.app.trial:run_backtest"

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""Trials are parallel to each other; threads inside one would only fight over the same cores."""

type Status = Literal["done", "refused", "failed"]
"""`refused`: the configuration contradicts itself; `failed`: the run itself went wrong."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial's function returns."""

    metrics: dict[str, float | None]
    run_id: str | None = None


type TrialFunction = Callable[[Loaded], Finished]


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the sweep table.

    Parameters
    ----------
    number : int
        Order in which the sweeper asked for it, from 0.
    overrides : tuple of str
        What made its configuration.
    config_hash : str, optional
        Hash of that configuration; None when it was refused.
    objective : float, optional
        Value that is compared; None where the metric is undefined or the trial did not finish.
    error : str, optional
        The failure in one line.
    exit_code : int
        What the same run would have ended with on its own.
    """

    number: int
    overrides: tuple[str, ...]
    status: Status
    exit_code: int = 0
    config_hash: str | None = None
    run_id: str | None = None
    objective: float | None = None
    metrics: dict[str, float | None] = {}
    error: str | None = None


class TrialWork(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trial ran and how long it took: facts that differ from run to run."""

    number: int
    node: str
    pid: int
    seconds: float


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker leaves in the sweep folder; `report` is the traceback of a failed trial."""

    row: TrialRow
    work: TrialWork
    report: str | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The job a launcher carries to its workers: names and paths only, so it always pickles.

    Parameters
    ----------
    function : str
        ``module:function`` from a `Loaded` configuration to `Finished`.
    folder : str
        The sweep folder; workers on other machines must see the same one.
    objective : str
        Name of the metric that is compared.
    variables : dict
        The environment layer of the configuration, as the sweep's own process saw it.
    import_path : tuple of str
        Where the sweep's own process finds modules, so that a worker finds a custom strategy too.
    """

    function: str
    folder: str
    objective: str
    variables: dict[str, str] = {}
    import_path: tuple[str, ...] = ()

    def __call__(self, job: Job) -> float | None:
        """Run one job, leave its record in the sweep folder and return its objective."""
        os.environ.update({name: os.environ.get(name, one) for name, one in ONE_THREAD.items()})
        sys.path += [entry for entry in self.import_path if entry not in sys.path]
        began = time.perf_counter()
        row, report = self._row(job)
        work = TrialWork(
            number=job.number,
            node=_node(),
            pid=os.getpid(),
            seconds=round(time.perf_counter() - began, 3),
        )
        record = TrialRecord(row=row, work=work, report=report)
        write_bytes(record_path(Path(self.folder), job.number), msgspec.json.encode(record))
        return row.objective

    def _row(self, job: Job) -> tuple[TrialRow, str | None]:
        try:
            loaded = self._loaded(job)
        except Failure as failure:
            return _unfinished(job, failure, "refused"), None
        try:
            finished = _resolve(self.function)(loaded)
            objective = _objective(finished.metrics, self.objective)
        except Exception as error:  # noqa: BLE001 - whatever went wrong becomes the trial's row
            return _unfinished(job, error, "failed", loaded.hash), traceback.format_exc()
        row = TrialRow(
            number=job.number,
            overrides=job.overrides,
            status="done",
            config_hash=loaded.hash,
            run_id=finished.run_id,
            objective=objective,
            metrics=finished.metrics,
        )
        return row, None

    def _loaded(self, job: Job) -> Loaded:
        taken = [one.path for one in map(parse, job.overrides) if one.is_value]
        layer = environment_keys(job.tree, Environment(values=self.variables))
        tree = apply_environment(job.tree, layer, taken)
        config = decode_from(tree, lambda path: COMMAND_LINE if path in taken else "")
        config = _inside(config, Path(self.folder))
        values = effective_tree(config)
        return Loaded(config=config, hash=config_hash(values), tree=values)


def with_backtest_mode(overrides: Sequence[str]) -> list[str]:
    """Select mode=backtest unless the overrides name a mode."""
    named = any(plain(text).partition("=")[0] == "mode" for text in overrides)
    return list(overrides) if named else ["mode=backtest", *overrides]


def record_path(folder: Path, number: int) -> Path:
    """Return where the record of a trial lies while the sweep runs."""
    return folder / "trials" / f"{number:05d}.json"


def run_backtest(loaded: Loaded) -> Finished:
    """Run one backtest of a sweep."""
    from tradingd.app.backtest import backtest

    result = backtest(loaded, sheet=False)
    numbers = {
        line.name: None if line.value is None else float(line.value)
        for line in result.metrics.lines()
        if line.unit != "date"
    }
    return Finished(metrics=numbers, run_id=result.run_id)


def backtest_metrics() -> tuple[str, ...]:
    """Return the names of the metrics a backtest can be compared by."""
    from tradingd.results.metrics import DEFINITIONS

    return tuple(one.name for group in DEFINITIONS.values() for one in group if one.unit != "date")


def _inside(config: SystemConfig, folder: Path) -> SystemConfig:
    """Put the run folders of a sweep into the sweep folder; the hash ignores where they are."""
    if not isinstance(config.mode, BacktestMode):
        return config
    mode = msgspec.structs.replace(config.mode, results=str(folder / "runs"))
    return msgspec.structs.replace(config, mode=mode)


def _objective(metrics: Mapping[str, float | None], name: str) -> float | None:
    if name not in metrics:
        raise unknown_metric(name, tuple(metrics))
    value = metrics[name]
    return None if value is None or value != value else float(value)


def unknown_metric(name: str, known: tuple[str, ...]) -> Failure:
    """Return the refusal of an objective that no result has."""
    close = nearest(name, known)
    return Failure(
        "no result has this metric",
        code=ExitCode.USAGE,
        where="--objective",
        expected=f"{close}?" if close else "one of " + ", ".join(sorted(known)),
        found=name,
    )


def _unfinished(
    job: Job, error: Exception, status: Status, config_hash: str | None = None
) -> TrialRow:
    known = isinstance(error, Failure)
    return TrialRow(
        number=job.number,
        overrides=job.overrides,
        status=status,
        exit_code=error.code if isinstance(error, Failure) else ExitCode.BUG,
        config_hash=config_hash,
        error=str(error) if known else f"{type(error).__name__}: {error}".strip(),
    )


def _node() -> str:
    """Return the machine, and on Ray the node of the cluster: several may share a machine."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return platform.node()
    return f"{platform.node()}/{ray.get_runtime_context().get_node_id()[:8]}"


def _resolve(reference: str) -> TrialFunction:
    module, _, name = reference.partition(":")
    function: TrialFunction = getattr(importlib.import_module(module), name)
    return function
