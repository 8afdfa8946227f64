"""Compose the YAML groups with Hydra; besides `multirun.py` the only module that knows it.

Hydra keeps its state in a process-wide singleton. `compose` lends it that singleton under a lock
and puts back what was there, so it may be called from threads and inside a sweep's jobs. Hydra's
compose function writes no file, changes no folder and configures no logging.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import msgspec
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from omegaconf import OmegaConf, open_dict

from tradingd.config.overrides import hydra_overrides
from tradingd.config.trees import trees

_hydra_state = threading.RLock()

PRIMARY = "config"
"""Name of the root file."""

HYDRA_BEHAVIOUR = "1.3"
"""The Hydra release whose defaults we rely on (`version_base`)."""


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """The merged YAML tree and the option that was chosen in each group."""

    tree: dict[str, Any]
    choices: Mapping[str, str]


def compose(overrides: Sequence[str], overlay: Path | None) -> Composition:
    """Merge the packaged tree, the overlay and the overrides; nothing is checked yet."""
    with hydra_session(overlay):
        composed = hydra.compose(PRIMARY, hydra_overrides(overrides), return_hydra_config=True)
        choices = dict(composed.hydra.runtime.choices)
        with open_dict(composed):
            del composed["hydra"]
        tree = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(tree, dict)
    return Composition(tree=tree, choices=choices)


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
