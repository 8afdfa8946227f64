"""Which layer states which key: files as they are merged, instance, environment, command line.

Composition itself forgets where a value came from. The layers are read again, on demand: to name
the file behind a refusal, and for `tradingd config explain`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from omegaconf import OmegaConf

from tradingd.config.compose import PRIMARY, Part, override_values, parts
from tradingd.config.environment import FromEnvironment
from tradingd.config.instance import Instance
from tradingd.config.keys import KeyPath
from tradingd.config.overrides import COMMAND_LINE
from tradingd.config.positions import line_of
from tradingd.config.trees import find_file, packaged_tree, trees

PACKAGED: Final = "packaged file"
OVERLAY: Final = "overlay file"
SITE: Final = "site.yaml"
INSTANCE: Final = "instance file"
ENVIRONMENT: Final = "environment"


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One source of values.

    Parameters
    ----------
    name : str
        Kind of layer: `PACKAGED`, `OVERLAY`, `SITE`, `INSTANCE`, `ENVIRONMENT` or the command line.
    source : str
        File, variable, or the command line.
    values : mapping
        Leaf path -> value as written; a list is one leaf.
    file : Path, optional
        The YAML file of the layer.
    package : tuple of str
        The group that the file is an option of; empty for a file of the root.
    """

    name: str
    source: str
    values: Mapping[KeyPath, Any]
    file: Path | None = None
    package: KeyPath = ()

    def stated(self, path: KeyPath) -> Any:
        """Return what the layer says at a key or at the list around it, or `msgspec.UNSET`."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.values:
                return self.values[path[:length]]
        return msgspec.UNSET

    def states(self, path: KeyPath) -> bool:
        """Whether the layer states the key, or a key below it."""
        below = any(leaf[: len(path)] == path for leaf in self.values)
        return below or self.stated(path) is not msgspec.UNSET

    def place(self, path: KeyPath) -> str:
        """Return where the layer states a key: file and line, variable, or command line."""
        line = line_of(self.file, path) if self.file else None
        return f"{self.source}:{line}" if line else self.source


def read_layers(
    overrides: Sequence[str],
    overlay: Path | None,
    environment: Sequence[FromEnvironment],
    instance: Instance | None = None,
) -> tuple[Layer, ...]:
    """Return every layer of a composition, the weakest first."""
    folders = trees(overlay)
    words = (*(instance.words if instance else ()), *overrides)
    files = [_file_layer(part, folders) for part in parts(words, overlay)]
    if instance:
        files.append(_instance_layer(instance, overrides))
    variables = [
        Layer(name=ENVIRONMENT, source=one.source, values={one.path: one.value})
        for one in environment
    ]
    values = dict(
        leaf for path, value in override_values(overrides) for leaf in _leaves(path, value)
    )
    command_line = Layer(name=COMMAND_LINE, source=COMMAND_LINE, values=values)
    return (*(layer for layer in files if layer), *variables, command_line)


def supplier(layers: Sequence[Layer], path: KeyPath) -> Layer | None:
    """Return the strongest layer that states a key or something below it."""
    return next((layer for layer in reversed(layers) if layer.states(path)), None)


def option_file(layers: Sequence[Layer], path: KeyPath) -> Path | None:
    """Return the file of the option that was chosen for the group a key belongs to."""
    chosen = (layer for layer in layers if layer.package and layer.package == path[:1])
    return next((layer.file for layer in chosen), None)


def root_file(overlay: Path | None) -> Path | None:
    """Return the root file in force, which chooses one option for each group."""
    return find_file(PRIMARY, trees(overlay))


def _file_layer(part: Part, folders: tuple[Path, ...]) -> Layer | None:
    file = find_file(part.option, folders)
    if file is None:
        return None
    written = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    if not isinstance(written, dict):
        return None
    written.pop("defaults", None)
    package = tuple(part.package.split(".")) if part.package else ()
    return Layer(
        name=_name(file),
        source=str(file),
        values=dict(_leaves(package, written)),
        file=file,
        package=package,
    )


def _instance_layer(instance: Instance, overrides: Sequence[str]) -> Layer:
    return Layer(
        name=INSTANCE,
        source=str(instance.file),
        values=instance.stated(overrides),
        file=instance.file,
    )


def _name(file: Path) -> str:
    if file.is_relative_to(packaged_tree()):
        return PACKAGED
    return SITE if file.name == SITE else OVERLAY


def _leaves(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves((*path, str(key)), inner)
    else:
        yield path, value
