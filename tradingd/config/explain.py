"""Explain one key: what it means, what it is now, and what every layer says about it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tradingd.config.diff import leaves
from tradingd.config.keys import Key, KeyPath, describe, dotted, names_in
from tradingd.config.layers import supplier
from tradingd.config.load import Sources
from tradingd.config.overrides import is_secret
from tradingd.config.refusals import find_value
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

DEFAULT = "struct default"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer says about a key; `wins` marks the layer whose value is in force."""

    layer: str
    place: str
    value: Any
    wins: bool = False


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One key of an explained group: its value and the layer that supplied it."""

    key: str
    value: Any
    winner: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person may want to know about one key.

    Parameters
    ----------
    key : str
        Dotted path.
    value : object
        The value in force, as plain builtins.
    expected, unit, description : str
        Type and range in words, unit, meaning.
    default : object
        Struct default; None also where the key is required.
    required : bool
        Whether there is no default.
    winner : str
        Name of the layer that supplied the value.
    statements : tuple of Statement
        Every layer that states the key, the weakest first.
    members : tuple of Member
        The keys below it where the key is a group.
    """

    key: str
    value: Any
    expected: str
    unit: str
    description: str
    default: Any
    required: bool
    winner: str
    statements: tuple[Statement, ...]
    members: tuple[Member, ...] = ()


def explain(key: str, sources: Sources) -> Explanation:
    """Explain a key of a configuration that passes every check.

    Raises
    ------
    Failure
        ``CONFIG`` when the configuration is refused or has no such key.
    """
    tree = sources.load().tree
    path = tuple(key.split("."))
    known = describe(path, tree)
    if known is None:
        raise _unknown(path, tree)
    said = list(_statements(path, known, sources))
    ranked = tuple(
        msgspec.structs.replace(one, wins=place == len(said)) for place, one in enumerate(said, 1)
    )
    value = find_value(path, tree)
    return Explanation(
        key=key,
        value=value,
        expected=known.expected,
        unit=known.unit,
        description=known.description,
        default=known.default,
        required=known.required,
        winner=said[-1].layer if said else "",
        statements=ranked,
        members=tuple(_members(path, value, sources)) if isinstance(value, Mapping) else (),
    )


def _members(path: KeyPath, group: Mapping[str, Any], sources: Sources) -> Iterator[Member]:
    for leaf, value in leaves(group, path):
        layer = supplier(sources.layers, leaf)
        yield Member(key=dotted(leaf), value=value, winner=layer.name if layer else DEFAULT)


def _statements(path: KeyPath, known: Key, sources: Sources) -> Iterator[Statement]:
    if not known.required and known.name.rpartition(".")[2] != "kind":
        yield Statement(layer=DEFAULT, place="", value=known.default)
    for layer in sources.layers:
        if layer.states(path):
            yield Statement(
                layer=layer.name, place=layer.place(path), value=_said(layer.values, path)
            )


def _said(values: Mapping[KeyPath, Any], path: KeyPath) -> Any:
    """Return a layer's own words on a key; on a group, the keys it states there."""
    if path in values:
        # A refused configuration never gets here, so a secret's key holds a reference; a lower
        # layer that was overridden may still hold anything.
        return _reference_only(path, values[path])
    below = {
        leaf[len(path) :]: value for leaf, value in values.items() if leaf[: len(path)] == path
    }
    return {dotted(leaf): _reference_only((*path, *leaf), said) for leaf, said in below.items()}


def _reference_only(path: KeyPath, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_reference_only(path, item) for item in value]
    if not is_secret(path) or str(value).startswith(("env:", "credential:", "file:")):
        return value
    return "(hidden)"


def _unknown(path: KeyPath, tree: Mapping[str, Any]) -> Failure:
    parent = path[:-1]
    valid = names_in(parent, tree)
    while parent and not valid:
        parent, valid = parent[:-1], names_in(parent[:-1], tree)
    name = path[len(parent)]
    close = nearest(name, valid)
    kind = find_value((*parent, "kind"), tree)
    return Failure(
        f"there is no key {dotted(path)}" + (f" while {dotted(parent)} is {kind}" if kind else ""),
        code=ExitCode.CONFIG,
        where=dotted(parent),
        expected="one of: " + ", ".join(valid),
        found=name,
        next_step=f"did you mean {dotted((*parent, close))}?" if close else "",
    )
