"""Build the refusals of a configuration: where, what was expected, what was found, what is near.

The value of a key that holds a secret is never repeated: a person may have typed the secret itself
where its reference belongs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tradingd.config.contradictions import Contradiction
from tradingd.config.keys import TAG, TIME_OF_DAY, KeyPath, describe, dotted, names_in
from tradingd.config.overrides import is_secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

type Origin = Callable[[KeyPath], str]
"""Tells where a key was written (file and line, variable, command line); empty when unknown."""

_PLACE = re.compile(r" - at `(?:key` in `)?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_ABSENT = re.compile(r"Object missing required field `(?P<name>.*)`")
_MISFIT = re.compile(r"Expected `|Invalid ")


def refusal(error: msgspec.ValidationError, tree: Mapping[str, Any], origin: Origin) -> Failure:
    """Return the refusal that a decoding error stands for."""
    place = _PLACE.search(str(error))
    message = str(error)[: place.start()] if place else str(error)
    path = _path(place["path"]) if place else ()
    if unknown := _UNKNOWN.fullmatch(message):
        return _unknown_key(path, unknown["name"], tree, origin)
    if absent := _ABSENT.fullmatch(message):
        return missing_value((*path, absent["name"]), tree, origin)
    if _MISFIT.match(message):
        return _misfit(path, tree, origin)
    return _cross_field(path, message, tree, origin)


def _path(text: str) -> KeyPath:
    return tuple(step["name"] or step["index"] for step in _STEP.finditer(text))


def _where(path: KeyPath, origin: Origin) -> str:
    place = origin(path)
    return f"{place}: {dotted(path)}" if place else dotted(path)


def _unknown_key(path: KeyPath, name: str, tree: Mapping[str, Any], origin: Origin) -> Failure:
    valid = names_in(path, tree)
    # A misspelt kind leaves the default's in force; the keys beside it are then not to blame.
    stated = find_value(path, tree)
    unknown = [key for key in stated if key not in valid] if isinstance(stated, Mapping) else []
    name = next((key for key in unknown if nearest(key, (TAG,))), name)
    close = nearest(name, valid)
    return Failure(
        f"there is no key {dotted((*path, name))}" + _of_option(path, tree),
        code=ExitCode.CONFIG,
        where=_where((*path, name), origin),
        expected="one of: " + ", ".join(valid) if valid else "",
        found=name,
        next_step=f"did you mean {dotted((*path, close))}?"
        if close
        else _leaving_out((*path, name), tree, origin),
    )


def _leaving_out(path: KeyPath, tree: Mapping[str, Any], origin: Origin) -> str:
    """Return how to do without a file's key that belongs to another kind than the chosen one."""
    place = origin(path)
    if not _of_option(path[:-1], tree) or not place or place.startswith("command line"):
        return ""
    return f"leave out what belongs to another kind: ~{dotted(path)}"


def _of_option(path: KeyPath, tree: Mapping[str, Any]) -> str:
    kind = find_value((*path, TAG), tree)
    return f" while {dotted((*path, TAG))} is {kind}" if isinstance(kind, str) else ""


def missing_value(path: KeyPath, tree: Mapping[str, Any], origin: Origin) -> Failure:
    """Return the refusal of a value that must be stated and is not."""
    key = describe(path, tree)
    is_group = len(path) == 1
    return Failure(
        f"{'the group' if is_group else 'a value is missing:'} {dotted(path)}"
        + (" is missing" if is_group else ""),
        code=ExitCode.CONFIG,
        where=_where(path, origin),
        expected=_expected(key.expected if key else "", key.description if key else ""),
        next_step=f"add - {path[0]}: OPTION to the defaults list"
        if is_group
        else f"set it: {dotted(path)}=VALUE",
    )


def _expected(type_text: str, description: str) -> str:
    return f"{type_text} ({description.rstrip('.')})" if description else type_text


def _misfit(path: KeyPath, tree: Mapping[str, Any], origin: Origin) -> Failure:
    key = describe(path, tree)
    value = find_value(path, tree)
    expected = key.expected if key else ""
    close = nearest(value, _listed(expected)) if isinstance(value, str) else None
    hint = f"did you mean {dotted(path)}={close}?" if close and not is_secret(path) else ""
    return Failure(
        f"{dotted(path) or 'the configuration'} does not accept this value",
        code=ExitCode.CONFIG,
        where=_where(path, origin),
        expected=expected,
        found=shown(path, value),
        next_step=hint or _quoting(expected, value, path),
    )


def _listed(expected: str) -> Sequence[str]:
    _, listed, names = expected.partition("one of: ")
    return names.split(", ") if listed else ()


def _quoting(expected: str, value: Any, path: KeyPath) -> str:
    if expected.startswith("a list") and isinstance(value, str):
        return f"write a list: {dotted(path)}=[{value}]"
    if expected.startswith(("text", "a list")) and isinstance(value, bool | int | float):
        return f"YAML reads it as {_kind(value)}; quote it: {dotted(path)}: 'TEXT'"
    if expected == TIME_OF_DAY and isinstance(value, int | float):
        # Unquoted, 11:00 is 660 (base 60): the text that was meant is lost.
        return f"YAML reads an unquoted 11:00 as a number; quote it: {path[-1]}: '11:00'"
    return ""


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "a group of keys"
    return names.get(type(value), "a list")


def shown(path: KeyPath, value: Any) -> str:
    """Return a value as a message may show it, with its type; hidden where a secret belongs."""
    if is_secret(path):
        return "a value that is no reference (hidden)"
    if isinstance(value, Mapping):
        return _kind(value)
    text = msgspec.json.encode(value, enc_hook=str).decode() if value is not None else ""
    if isinstance(value, float) and text == "null":
        text = str(value)
    return f"{text} ({_kind(value)})" if text else _kind(value)


def _cross_field(path: KeyPath, message: str, tree: Mapping[str, Any], origin: Origin) -> Failure:
    """Return the refusal of a struct whose own fields contradict each other."""
    names = [name for name in names_in(path, tree) if re.search(rf"\b{name}\b", message)]
    return Failure(
        f"{dotted(path)}: {message}" if path else message,
        code=ExitCode.CONFIG,
        where="; ".join(_where((*path, name), origin) for name in names) or _where(path, origin),
    )


def contradiction(found: Contradiction, origin: Origin) -> Failure:
    """Return the refusal of keys of different groups that cannot stand together."""
    return Failure(
        found.what,
        code=ExitCode.CONFIG,
        where="; ".join(_where(tuple(key.split(".")), origin) for key in found.keys),
        expected=found.expected,
        found=found.found,
        next_step=found.next_step,
    )


def not_finite(path: KeyPath, value: float, tree: Mapping[str, Any], origin: Origin) -> Failure:
    """Return the refusal of NaN and infinity, which every comparison would let through."""
    key = describe(path, tree)
    return Failure(
        f"{dotted(path)} is not a finite number",
        code=ExitCode.CONFIG,
        where=_where(path, origin),
        expected=key.expected if key else "a number",
        found=shown(path, value),
    )


def not_text(path: KeyPath, key: Any, origin: Origin) -> Failure:
    """Return the refusal of a YAML key that is a number, a boolean or null."""
    return Failure(
        f"a key of {dotted(path) or 'the root'} is not text",
        code=ExitCode.CONFIG,
        where=_where((*path, str(key)), origin),
        expected="a name",
        found=str(key),
    )


def find_value(path: KeyPath, tree: Any) -> Any:
    """Return what a tree holds at a path, or None; numbers select list items."""
    for part in path:
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, list | tuple) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree
