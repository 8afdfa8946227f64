"""The file of one instance, ``OVERLAY/NAME.yaml``: which options it selects, which keys it sets.

A layer between the overlay's `site.yaml` and the environment::

    mode: paper                                # a group's option
    risk: {drawdown_percent: 1}                # values of a group
    strategy: {option: swing_trend, fast: 10}  # both
    seed: 3                                    # a key of the root

Selections go to Hydra as overrides in front of the command line's; values are merged over what
Hydra composed, unless the command line sets them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from omegaconf import OmegaConf

from tradingd.config.hydra_errors import translated
from tradingd.config.keys import KeyPath, root
from tradingd.config.overrides import GROUPS, Override, parse
from tradingd.config.positions import line_of
from tradingd.config.refusals import not_text
from tradingd.config.trees import find_overlay, options, packaged_tree, trees
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

OPTION: Final = "option"
"""The word that selects a group's option beside its values."""

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""What an instance may be called: it becomes a folder, a unit and a socket."""

_RESERVED: Final = ("config", "site")
"""Files of an overlay's root that mean something else."""

_KEYS: Final = tuple(field.name for field in root().fields)


class Selection(msgspec.Struct, frozen=True):
    """An option chosen for a group; `owns`: the values beside it are meant for it alone."""

    option: str
    owns: bool


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance's file states: group -> option, and key -> value."""

    name: str
    file: Path
    selections: dict[str, Selection]
    values: dict[KeyPath, Any]

    @property
    def words(self) -> tuple[str, ...]:
        """Its selections as overrides; placed before the command line's, they give way to them."""
        return tuple(f"{group}={one.option}" for group, one in self.selections.items())

    def stated(self, overrides: Sequence[str]) -> dict[KeyPath, Any]:
        """Return its values that count: not those of an option which the command line replaced."""
        made = _selected(overrides)
        replaced = {
            group
            for group, one in self.selections.items()
            if one.owns and made.get(group, one.option) != one.option
        }
        return {path: value for path, value in self.values.items() if path[0] not in replaced}

    def merge(self, tree: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
        """Return a composed tree with its values set, except what the command line took."""
        taken = [one.path for one in map(parse, overrides) if one.is_value]
        result = dict(tree)
        for path, value in self.stated(overrides).items():
            if not any(_overlap(path, other) for other in taken):
                result = _with(result, path, value)
        return result


def read_instance(name: str, overlay: Path | None) -> Instance:
    """Read and check the file of an instance.

    Parameters
    ----------
    name : str
        The instance.
    overlay : Path, optional
        The site overlay in force.

    Raises
    ------
    Failure
        CONFIG when there is no such file, or it names an unknown group, option or root key.
    """
    file = _file(name, overlay)
    with translated((), trees(overlay), lambda path: str(file)):
        written = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    if not isinstance(written, dict):
        raise Failure(
            "an instance's file holds groups",
            code=ExitCode.CONFIG,
            where=str(file),
            expected="lines such as mode: paper",
            found="a list or a single value",
        )
    selections: dict[str, Selection] = {}
    values: dict[KeyPath, Any] = {}
    for stated, content in written.items():
        key = _known(file, stated)
        if key not in GROUPS:
            values[(key,)] = content
            continue
        option, inside = _parts(file, key, content)
        if option is not None:
            selections[key] = Selection(_offered(file, key, option, overlay), bool(inside))
        values.update(_leaves(file, (key,), inside))
    return Instance(name=name, file=file, selections=selections, values=values)


def instance_file(name: str, overlay: Path | None = None) -> Path | None:
    """Return the file an instance is configured by, None where there is none.

    Parameters
    ----------
    name : str
        The instance.
    overlay : Path, optional
        As for `find_overlay`.
    """
    folder = find_overlay(overlay)
    file = folder / f"{name}.yaml" if folder and name not in _RESERVED else None
    return file if file is not None and file.is_file() else None


def _file(name: str, overlay: Path | None) -> Path:
    if not NAME.fullmatch(name) or name in _RESERVED:
        raise Failure(
            "this is no name of an instance",
            code=ExitCode.CONFIG,
            where="--instance",
            expected="a to z, 0 to 9, - and _, at most 32, not config or site",
            found=name,
        )
    if overlay is None:
        raise Failure(
            f"the instance {name} has no file: there is no site overlay",
            code=ExitCode.CONFIG,
            where="--instance",
            expected=f"/etc/tradingd/{name}.yaml",
            next_step="name the folder: --overlay FOLDER or $TRADINGD_CONF",
        )
    file = overlay / f"{name}.yaml"
    if file.is_file():
        return file
    there = sorted({path.stem for path in overlay.glob("*.yaml")}.difference(_RESERVED))
    close = nearest(name, there)
    raise Failure(
        f"the instance {name} has no file",
        code=ExitCode.CONFIG,
        where=str(file),
        expected="one of: " + ", ".join(there) if there else "this file, with a line mode: paper",
        found="no such file",
        next_step=f"did you mean {close}?" if close else "",
    )


def _known(file: Path, key: Any) -> str:
    """Return a key of the root, or refuse it."""
    if not isinstance(key, str):
        raise not_text((), key, lambda path: str(file))
    if key in _KEYS:
        return key
    close = nearest(key, _KEYS)
    raise Failure(
        f"there is no group {key}",
        code=ExitCode.CONFIG,
        where=_where(file, (key,)),
        expected="one of: " + ", ".join(_KEYS),
        found=key,
        next_step=f"did you mean {close}?" if close else "",
    )


def _parts(file: Path, group: str, content: Any) -> tuple[str | None, Mapping[Any, Any]]:
    """Return the option that a group's entry selects, if any, and the values beside it."""
    option, inside = (content, {}) if not isinstance(content, Mapping) else (None, dict(content))
    if isinstance(inside, dict) and OPTION in inside:
        option = inside.pop(OPTION)
        if not isinstance(option, str) or not option:
            raise _no_option(file, (group, OPTION), group)
    elif not isinstance(content, Mapping) and (not isinstance(option, str) or not option):
        raise _no_option(file, (group,), group)
    if "kind" in inside:
        raise Failure(
            f"{group}.kind is chosen with its group, so that the option's file is read",
            code=ExitCode.CONFIG,
            where=_where(file, (group, "kind")),
            expected=f"{group}: OPTION, or {OPTION}: OPTION beside the values",
            found=f"kind: {inside['kind']}",
        )
    return option, inside


def _no_option(file: Path, path: KeyPath, group: str) -> Failure:
    return Failure(
        f"the group {group} takes the name of one option, or a mapping of values",
        code=ExitCode.CONFIG,
        where=_where(file, path),
        expected="one of: " + ", ".join(options(group, (packaged_tree(),))),
        next_step=f"{group}: OPTION or {group}: {{{OPTION}: OPTION, KEY: VALUE}}",
    )


def _offered(file: Path, group: str, option: str, overlay: Path | None) -> str:
    offered = options(group, trees(overlay))
    if option in offered:
        return option
    close = nearest(option, offered)
    raise Failure(
        f"{group} has no option {option}",
        code=ExitCode.CONFIG,
        where=_where(file, (group,)),
        expected="one of: " + ", ".join(offered),
        found=option,
        next_step=f"did you mean {group}: {close}?" if close else "",
    )


def _leaves(file: Path, path: KeyPath, content: Mapping[Any, Any]) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in content.items():
        if not isinstance(key, str):
            raise not_text(path, key, lambda path: _where(file, path[:1], bare=True))
        if isinstance(value, Mapping) and value:
            yield from _leaves(file, (*path, key), value)
        else:
            yield (*path, key), value


def _where(file: Path, path: KeyPath, *, bare: bool = False) -> str:
    line = line_of(file, path)
    place = f"{file}:{line}" if line else str(file)
    return place if bare else f"{place}: {'.'.join(path)}"


def _selected(overrides: Iterable[str]) -> dict[str, str]:
    """Return the options that the command line selects."""
    stated: list[Override] = [parse(text) for text in overrides]
    return {one.key: one.value or "" for one in stated if one.key in GROUPS}


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _with(tree: Mapping[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    """Return a tree with one leaf set; what stands in the way of a mapping gives way."""
    first, *rest = path
    if not rest:
        return {**tree, first: value}
    inside = tree.get(first)
    inside = inside if isinstance(inside, Mapping) else {}
    return {**tree, first: _with(inside, tuple(rest), value)}
