"""Load a configuration: compose the YAML tree, decode it into frozen structs, hash it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradingd.config.compose import compose
from tradingd.config.identity import config_hash
from tradingd.config.system import SystemConfig
from tradingd.config.trees import find_overlay
from tradingd.kits.failure import ExitCode, Failure


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that passed every check.

    Parameters
    ----------
    config : SystemConfig
        The frozen structs.
    hash : str
        SHA-256 hex digest of everything that decides a result.
    tree : dict
        The same values, defaults included, as plain builtins.
    """

    config: SystemConfig
    hash: str
    tree: dict[str, Any]


def load(overrides: Sequence[str] = (), *, overlay: Path | None = None) -> Loaded:
    """Compose, decode and hash.

    Parameters
    ----------
    overrides : sequence of str
        ``strategy=ema_cross`` selects a group's option, ``strategy.fast=5`` sets a value.
    overlay : Path, optional
        Site folder that wins over the packaged tree; None looks in the usual places.

    Raises
    ------
    Failure
        ``CONFIG``, naming the file, the key path, what was expected and the nearest valid name.
    """
    folder = find_overlay(overlay)
    config = decode(compose(overrides, folder).tree)
    tree = msgspec.to_builtins(config)
    return Loaded(config=config, hash=config_hash(tree), tree=tree)


def decode(tree: Mapping[str, Any]) -> SystemConfig:
    """Turn a composed tree into the frozen configuration.

    Raises
    ------
    Failure
        ``CONFIG`` for an unknown key, a wrong type, a missing value or a contradiction.
    """
    try:
        return msgspec.convert(dict(tree), SystemConfig)
    except msgspec.ValidationError as error:
        raise Failure(str(error), code=ExitCode.CONFIG) from error
