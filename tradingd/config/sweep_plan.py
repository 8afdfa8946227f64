"""Find out what a sweep would do before its first job: how many, what varies, where they run."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep
from hydra.core.override_parser.types import Override as ParsedOverride
from hydra.types import RunMode
from omegaconf import DictConfig

from tradingd.config.compose import PRIMARY, hydra_session
from tradingd.config.hydra_errors import translated
from tradingd.config.overrides import hydra_overrides
from tradingd.config.system import SystemConfig
from tradingd.config.trees import find_overlay, trees

RAY: Final = ("ray", "ray_cluster")
"""Launchers that run jobs on Ray."""

_QUIET: Final = (
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.output_subdir=null",
    "hydra.sweep.subdir=.",
    "hydra.job.chdir=false",
)


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
    with session(overrides, overlay) as hydra:
        composed = _compose(hydra, [*for_hydra(overrides), *_QUIET])
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


def plain(override: str) -> str:
    """Return an override, or its key, without Hydra's leading signs."""
    return override.lstrip("+")


@contextmanager
def session(overrides: Sequence[str], overlay: Path | None) -> Iterator[Hydra]:
    """Lend Hydra its state; its complaints name the override or file at fault."""
    folder = find_overlay(overlay)
    with translated(overrides, trees(folder)), hydra_session(folder) as hydra:
        yield hydra


def for_hydra(overrides: Sequence[str]) -> list[str]:
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
        # A failed trial tells the study nothing and is a row of ours: not worth an error in a log.
        yield "hydra.sweeper.max_failure_rate", "1.0"
        if "seed" in composed.hydra.sweeper.get("sampler", {}):
            yield "hydra.sweeper.sampler.seed", str(composed.get("seed", _default_seed()))
    if choices["hydra/launcher"] in RAY:
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
