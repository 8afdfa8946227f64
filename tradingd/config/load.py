"""Load a configuration: compose the YAML tree, decode it into frozen structs, hash it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tradingd.config.compose import compose
from tradingd.config.decode import decode_from
from tradingd.config.environment import (
    Environment,
    FromEnvironment,
    apply_environment,
    environment_keys,
    read_environment,
)
from tradingd.config.identity import config_hash, effective_tree
from tradingd.config.instance import Instance, read_instance
from tradingd.config.keys import KeyPath
from tradingd.config.layers import Layer, option_file, read_layers, root_file, supplier
from tradingd.config.overrides import parse
from tradingd.config.system import SystemConfig
from tradingd.config.trees import find_overlay


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


def load(
    overrides: Sequence[str] = (), *, overlay: Path | None = None, instance: str | None = None
) -> Loaded:
    """Compose, decode and hash.

    Parameters
    ----------
    overrides : sequence of str
        ``strategy=ema_cross`` selects a group's option, ``strategy.fast=5`` sets a value.
    overlay : Path, optional
        Site folder that wins over the packaged tree; None looks in the usual places.
    instance : str, optional
        Name of the instance whose file in the overlay counts; None: no instance's.

    Raises
    ------
    Failure
        ``CONFIG``, naming the file, the key path, what was expected and the nearest valid name.
    """
    folder = find_overlay(overlay)
    named = read_instance(instance, folder) if instance is not None else None
    return Sources(overrides, folder, read_environment(), named).load()


def decode(tree: Mapping[str, Any]) -> SystemConfig:
    """Turn a composed tree into the frozen configuration; refusals name keys, but no files.

    Raises
    ------
    Failure
        ``CONFIG`` for an unknown key, a wrong type, a missing value or a contradiction.
    """
    return decode_from(tree, lambda path: "")


class Sources:
    """What a configuration is made of; its parts are worked out when they are asked for.

    Parameters
    ----------
    overrides : sequence of str
        The command line.
    overlay : Path, optional
        Site folder; None: there is none.
    environment : Environment
        Variables that may set keys; an empty one leaves that layer out.
    instance : Instance, optional
        The file of an instance; None: there is none.
    """

    def __init__(
        self,
        overrides: Sequence[str],
        overlay: Path | None,
        environment: Environment,
        instance: Instance | None = None,
    ) -> None:
        self.instance = instance
        self.overrides = tuple(overrides)
        self.overlay = overlay
        self.environment = environment

    def load(self) -> Loaded:
        """Compose, decode and hash; see `load`."""
        config = decode_from(self.tree, self.origin)
        tree = effective_tree(config)
        return Loaded(config=config, hash=config_hash(tree), tree=tree)

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The merged tree of all layers, not yet decoded."""
        taken = [one.path for one in map(parse, self.overrides) if one.is_value]
        return apply_environment(self._composed, self.variables, taken)

    @cached_property
    def _composed(self) -> dict[str, Any]:
        if self.instance is None:
            return compose(self.overrides, self.overlay, self.origin)
        words = (*self.instance.words, *self.overrides)
        return self.instance.merge(compose(words, self.overlay, self.origin), self.overrides)

    @cached_property
    def variables(self) -> list[FromEnvironment]:
        """The keys that the environment sets here."""
        return environment_keys(self._composed, self.environment)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer, the weakest first."""
        variables = self.variables if "_composed" in self.__dict__ else []
        return read_layers(self.overrides, self.overlay, variables, self.instance)

    def origin(self, path: KeyPath) -> str:
        """Where a key was written; what nobody wrote is the default of its option's file."""
        if layer := supplier(self.layers, path):
            return layer.place(path)
        if file := option_file(self.layers, path):
            return f"{file} (default)"
        return str(root_file(self.overlay) or "")
