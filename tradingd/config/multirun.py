"""Run one function over many configurations through Hydra's sweepers and launchers.

Hydra decides which overrides each job gets (basic grid or Optuna) and where it runs (this process,
joblib's processes, a Ray cluster). It writes nothing a person has to see: its own files go to a
folder the caller names, it changes no working directory and configures no logging.
"""

import logging
import os
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import msgspec
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tradingd.config.compose import PRIMARY
from tradingd.config.sweep_plan import RAY, SweepPlan, for_hydra, plain, session
from tradingd.kits.raysignals import own_sigterm

_RAY_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""No telemetry, no environment of its own, no notice about accelerators."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration of a sweep: its number, the overrides that made it, its composed tree."""

    number: int
    overrides: tuple[str, ...]
    tree: dict[str, Any]


type JobFunction = Callable[[Job], float | None]
"""Returns the objective; None where there is none. Must be importable and must not raise."""


def multirun(
    overrides: Sequence[str],
    plan: SweepPlan,
    *,
    overlay: Path | None = None,
    folder: Path,
    job: JobFunction,
) -> None:
    """Run every job of a planned sweep; returns when the last one ended.

    Parameters
    ----------
    overrides : sequence of str
        As for one run, with comma lists, ``range(...)``, ``choice(...)`` or ``interval(...)``.
    plan : SweepPlan
        What `plan_sweep` said about the same overrides.
    overlay : Path, optional
        Site folder that wins over the packaged tree.
    folder : Path
        Where Hydra and Optuna may write their own files.
    job : callable
        Called once per job, in whichever process the launcher chose.

    Raises
    ------
    Failure
        ``CONFIG`` when Hydra refuses to compose a job.
    Exception
        Whatever broke the launcher itself: a killed worker, a cluster that cannot be reached.
    """
    _quieten(plan)
    arguments = [*for_hydra(overrides), *plan.settings, f"hydra.sweep.dir={_quoted(folder)}"]
    fault: Exception | None = None
    signals = own_sigterm() if plan.launcher in RAY else nullcontext()
    with signals, session(overrides, overlay) as hydra:
        try:
            hydra.multirun(PRIMARY, _Task(job), arguments, with_log_configuration=False)
        except (HydraException, OmegaConfBaseException):
            raise
        except Exception as error:  # noqa: BLE001 - raised below, outside what explains files
            fault = error
    if fault is not None:
        raise fault


class _Task:
    """What the launchers pickle: by reference to this module, so any worker can import it."""

    def __init__(self, job: JobFunction) -> None:
        self._job = job

    def __call__(self, composed: DictConfig) -> float | None:
        hydra = HydraConfig.get()
        tree = OmegaConf.to_container(composed, resolve=True)
        assert isinstance(tree, dict)
        overrides = tuple(plain(text) for text in hydra.overrides.task)
        return self._job(
            Job(number=int(hydra.job.num), overrides=overrides, tree=_named_keys(tree))
        )


def _named_keys(tree: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in tree.items()}


def _quieten(plan: SweepPlan) -> None:
    if plan.launcher in RAY:
        for name, value in _RAY_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    if plan.launcher == "ray" and not os.environ.get("RAY_AUTH_MODE"):
        # A cluster of our own for one sweep; Ray would keep its token, readable by all, at home.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    if plan.sweeper == "optuna":
        with warnings.catch_warnings():
            # Optuna 2 uses names that SQLAlchemy 2 calls old; nobody here can act on that.
            warnings.simplefilter("ignore")
            import optuna

        optuna.logging.set_verbosity(logging.WARNING)
        # It warns once per failed trial; ours become rows.
        logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.ERROR)


def _quoted(path: Path) -> str:
    """Return a path as a quoted string of Hydra's override grammar."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
