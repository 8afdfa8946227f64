"""Compose the YAML groups with Hydra; nothing outside this package knows it.

Hydra keeps its state in a process-wide singleton. `compose` lends it that singleton under a lock
and puts back what was there, so it may be called from threads and inside a sweep's jobs. Hydra's
compose function writes no file, changes no folder and configures no logging.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import hydra
import msgspec
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobRuntime
from hydra.types import RunMode
from omegaconf import OmegaConf

from tradingd.config.hydra_errors import Origin, translated
from tradingd.config.overrides import hydra_overrides, parse
from tradingd.config.trees import trees

_hydra_state = threading.RLock()

PRIMARY: Final = "config"
"""Name of the root file."""

HYDRA_BEHAVIOUR: Final = "1.3"
"""The Hydra release whose defaults we rely on (`version_base`)."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a composition: the option it is, and the key it is placed under."""

    option: str
    package: str


def compose(
    overrides: Sequence[str], overlay: Path | None, origin: Origin = lambda path: ""
) -> dict[str, Any]:
    """Merge the packaged tree, the overlay and the overrides; nothing is checked yet.

    Parameters
    ----------
    overrides : sequence of str
        The command line.
    overlay : Path, optional
        Site folder that is searched before the packaged tree.
    origin : callable
        Tells a refusal where a key was written.

    Raises
    ------
    Failure
        ``CONFIG`` when the files or overrides cannot be put together.
    """
    words = hydra_overrides(overrides)
    with translated(overrides, trees(overlay), origin), hydra_session(overlay):
        composed = hydra.compose(PRIMARY, words)
        tree = OmegaConf.to_container(composed, resolve=True)
    return cast("dict[str, Any]", tree)


def parts(overrides: Sequence[str], overlay: Path | None) -> list[Part]:
    """Return the files of a composition in the order they are merged, Hydra's own left out."""
    words = hydra_overrides(overrides)
    with translated(overrides, trees(overlay)), hydra_session(overlay) as session:
        listed = session.config_loader.compute_defaults_list(PRIMARY, words, RunMode.RUN)
    return [
        Part(option=one.config_path, package=one.package or "")
        for one in listed.defaults
        if one.config_path and not one.config_path.startswith("hydra/")
    ]


def override_values(overrides: Sequence[str]) -> list[tuple[tuple[str, ...], Any]]:
    """Return the keys that value overrides set, in order, with their parsed values."""
    stated = [one for one in map(parse, overrides) if one.is_value]
    parsed = OverridesParser.create().parse_overrides([one.for_hydra() for one in stated])
    return [(one.path, read.value()) for one, read in zip(stated, parsed, strict=True)]


@contextmanager
def hydra_session(overlay: Path | None) -> Iterator[Hydra]:
    """Lend Hydra its process-wide state, set up for our folders; put back what was there."""
    with _hydra_state:
        runtime, shared = JobRuntime.instance(), GlobalHydra.instance()
        job, before = runtime.conf.name, shared.hydra
        shared.hydra = None
        hydra.version.setbase(HYDRA_BEHAVIOUR)
        try:
            yield Hydra.create_main_hydra2("tradingd", search_path(overlay))
        finally:
            shared.hydra = before
            runtime.conf.name = job


def search_path(overlay: Path | None) -> ConfigSearchPath:
    """Return Hydra's search path with the overlay as primary folder and the packaged tree behind.

    Hydra's own ``hydra.searchpath`` cannot be used: it wants `config.yaml` in the primary folder,
    and an overlay states deviations only.
    """
    first, *rest = trees(overlay)
    path: ConfigSearchPath = create_config_search_path(str(first))
    for folder in rest:
        path.prepend("tradingd", f"file://{folder}", SearchPathQuery(provider="schema"))
    return path
