"""Run one function over many configurations through Hydra's sweepers and launchers.

Hydra decides which overrides each job gets (basic grid or Optuna) and where it runs (this process,
joblib's processes, a Ray cluster). It writes nothing a person has to see: its own files go to a
folder the caller names, it changes no working directory and configures no logging.
"""

import logging
import os
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep
from hydra.core.override_parser.types import Override as ParsedOverride
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from tradingd.config.compose import PRIMARY, hydra_session
from tradingd.config.hydra_errors import translated
from tradingd.config.overrides import hydra_overrides
from tradingd.config.system import SystemConfig
from tradingd.config.trees import find_overlay, trees

_RAY: Final = ("ray", "ray_cluster")

_RAY_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""No telemetry, no environment of its own, no notice about accelerators."""

_QUIET: Final = (
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.output_subdir=null",
    "hydra.sweep.subdir=.",
    "hydra.job.chdir=false",
)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration of a sweep: its number, the overrides that made it, its composed tree."""

    number: int
    overrides: tuple[str, ...]
    tree: dict[str, Any]


type JobFunction = Callable[[Job], float | None]
"""Returns the objective; None where there is none. Must be importable and must not raise."""


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep is going to do, known before its first job.

    Parameters
    ----------
    launcher, sweeper : str
        Chosen options of `hydra/launcher` and `hydra/sweeper`.
    jobs : int
        How many jobs there will be.
    grid : tuple of tuple of str
        Overrides of each job, by number, where they are known beforehand (sweeper `basic`).
    parameters : tuple of str
        Keys that vary.
    fixed : tuple of str
        Overrides every job shares.
    corners : tuple of tuple of str
        Complete overrides with the first and with the last value of every varying key.
    maximise : bool
        Direction of the objective.
    settings : tuple of str
        Settings of Hydra that this plan adds to the person's overrides.
    """

    launcher: str
    sweeper: str
    jobs: int
    grid: tuple[tuple[str, ...], ...]
    parameters: tuple[str, ...]
    fixed: tuple[str, ...]
    corners: tuple[tuple[str, ...], ...]
    maximise: bool
    settings: tuple[str, ...]


def plan_sweep(overrides: Sequence[str], *, overlay: Path | None = None) -> SweepPlan:
    """Find out what a sweep would do, without running anything.

    Raises
    ------
    Failure
        ``CONFIG`` for an override, launcher or sweeper that does not exist.
    """
    with _session(overrides, overlay) as hydra:
        composed = _compose(hydra, [*_for_hydra(overrides), *_QUIET])
    parsed = _sweep_arguments(composed)
    varying = [one for one in parsed if one.is_sweep_override()]
    grid = _grid(parsed)
    sweeper = composed.hydra.runtime.choices["hydra/sweeper"]
    settings = (*_QUIET, *_settings(composed, overrides))
    return SweepPlan(
        launcher=composed.hydra.runtime.choices["hydra/launcher"],
        sweeper=sweeper,
        jobs=_job_count(composed, grid),
        grid=grid if sweeper == "basic" else (),
        parameters=tuple(plain(one.get_key_element()) for one in varying),
        fixed=tuple(_stated(one) for one in parsed if not one.is_sweep_override()),
        corners=tuple(tuple(_end(one, last) for one in parsed) for last in (False, True)),
        maximise=sweeper != "optuna" or _stated_direction(overrides) != "minimize",
        settings=settings,
    )


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
    """
    _quieten(plan)
    arguments = [*_for_hydra(overrides), *plan.settings, f"hydra.sweep.dir={_quoted(folder)}"]
    with _session(overrides, overlay) as hydra:
        hydra.multirun(PRIMARY, _Task(job), arguments, with_log_configuration=False)


def plain(override: str) -> str:
    """Return an override, or its key, without Hydra's leading signs."""
    return override.lstrip("+")


@contextmanager
def _session(overrides: Sequence[str], overlay: Path | None) -> Iterator[Hydra]:
    folder = find_overlay(overlay)
    with translated(overrides, trees(folder)), hydra_session(folder) as hydra:
        yield hydra


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


def _for_hydra(overrides: Sequence[str]) -> list[str]:
    """Translate our overrides, and open Ray's free-form settings for keys it does not list."""
    return [
        f"++{text}" if text.startswith("hydra.launcher.ray.") else text
        for text in hydra_overrides(overrides)
    ]


def _compose(hydra: Hydra, overrides: list[str]) -> DictConfig:
    return hydra.compose_config(
        config_name=PRIMARY,
        overrides=overrides,
        run_mode=RunMode.MULTIRUN,
        validate_sweep_overrides=False,
    )


def _sweep_arguments(composed: DictConfig) -> list[ParsedOverride]:
    """Return what the sweeper will expand: the tree's own ranges, then the command line."""
    ranges = [
        f"{key}={value}" for key, value in (composed.hydra.sweeper.get("params") or {}).items()
    ]
    return OverridesParser.create().parse_overrides([*ranges, *composed.hydra.overrides.task])


def _job_count(composed: DictConfig, grid: Sequence[tuple[str, ...]]) -> int:
    stated = composed.hydra.sweeper.get("n_trials")
    if stated is None:
        return len(grid)
    sampler = composed.hydra.runtime.choices.get("hydra/sweeper/sampler")
    return min(int(stated), len(grid)) if sampler == "grid" else int(stated)


def _grid(parsed: list[ParsedOverride]) -> tuple[tuple[str, ...], ...]:
    """Return every combination in the basic sweeper's order; none where a range is continuous."""
    if any(one.is_sweep_override() and not one.is_discrete_sweep() for one in parsed):
        return ()
    (combinations,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    return tuple(tuple(plain(text) for text in one) for one in combinations)


def _stated(one: ParsedOverride) -> str:
    return plain(f"{one.get_key_element()}={one.get_value_element_as_str()}")


def _end(one: ParsedOverride, last: bool) -> str:
    if not one.is_sweep_override():
        return _stated(one)
    value = one.value()
    if isinstance(value, IntervalSweep):
        return plain(f"{one.get_key_element()}={value.end if last else value.start}")
    values = list(one.sweep_string_iterator())
    return plain(f"{one.get_key_element()}={values[-1 if last else 0]}")


def _settings(composed: DictConfig, overrides: Sequence[str]) -> Iterator[str]:
    """Yield what launcher and sweeper need beyond their defaults, unless a person stated it."""
    stated = {plain(text.partition("=")[0]) for text in overrides}
    for key, value in _wanted(composed):
        if key not in stated:
            yield f"++{key}={value}"


def _wanted(composed: DictConfig) -> Iterator[tuple[str, str]]:
    choices = composed.hydra.runtime.choices
    if choices["hydra/sweeper"] == "optuna":
        yield "hydra.sweeper.direction", "maximize"
        # A failed trial tells the study nothing; it must not end the sweep.
        yield "hydra.sweeper.max_failure_rate", "1.0"
        if "seed" in composed.hydra.sweeper.get("sampler", {}):
            yield "hydra.sweeper.sampler.seed", str(composed.get("seed", _default_seed()))
    if choices["hydra/launcher"] in _RAY:
        init = composed.hydra.launcher.ray.init
        yield "hydra.launcher.ray.init.log_to_driver", "false"
        yield "hydra.launcher.ray.init.logging_level", str(logging.ERROR)
        if init.get("address"):
            # The launcher would otherwise set it, and Ray refuses it for a running cluster.
            yield "hydra.launcher.ray.init.object_store_memory", "null"
        else:
            # Without an address Ray would join whatever cluster this machine last started.
            yield "hydra.launcher.ray.init.address", "local"
            yield "hydra.launcher.ray.init.include_dashboard", "false"


def _default_seed() -> int:
    return next(
        int(field.default) for field in msgspec.structs.fields(SystemConfig) if field.name == "seed"
    )


def _stated_direction(overrides: Sequence[str]) -> str:
    values = [
        text.partition("=")[2]
        for text in overrides
        if plain(text).startswith("hydra.sweeper.direction=")
    ]
    return values[-1] if values else "maximize"


def _quieten(plan: SweepPlan) -> None:
    if plan.launcher in _RAY:
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
