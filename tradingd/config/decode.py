"""Turn a composed tree into frozen structs, or say which key is wrong and where it was written."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tradingd.config.clock import spelled_out
from tradingd.config.contradictions import first_contradiction
from tradingd.config.keys import TAG, KeyPath, tagged_defaults
from tradingd.config.refusals import (
    Origin,
    contradiction,
    missing_value,
    not_finite,
    not_text,
    refusal,
)
from tradingd.config.system import SystemConfig

MISSING = "???"
"""How a YAML file marks a value that a person must state."""


def decode_from(tree: Mapping[str, Any], origin: Origin) -> SystemConfig:
    """Decode a tree; `origin` tells a refusal where a key was written.

    Raises
    ------
    Failure
        ``CONFIG`` for an unknown key, a wrong type, a value out of range, a missing value or
        keys that contradict each other.
    """
    complete = spelled_out(_with_default_tags(tree))
    _refuse_impossible_leaves(complete, origin)
    try:
        config = msgspec.convert(complete, SystemConfig)
    except msgspec.ValidationError as error:
        raise refusal(error, complete, origin) from error
    if found := first_contradiction(config):
        raise contradiction(found, origin)
    return config


def _with_default_tags(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree with the ``kind`` of the default wherever a union's kind is left out."""
    complete = _copy(tree)
    for path, tag in list(tagged_defaults(complete)):
        part = complete
        for name in path:
            part = part[name]
        part[TAG] = tag
    return complete


def _copy(tree: Mapping[Any, Any]) -> dict[Any, Any]:
    return {
        key: _copy(value) if isinstance(value, Mapping) else value for key, value in tree.items()
    }


def _refuse_impossible_leaves(tree: Mapping[Any, Any], origin: Origin) -> None:
    """Refuse what the structs cannot see: missing marks, NaN, infinity, keys that are no text."""
    for path, key, value in _walk((), tree):
        if not isinstance(key, str):
            raise not_text(path, key, origin)
        if value == MISSING:
            raise missing_value((*path, key), tree, origin)
        if isinstance(value, float) and not _finite(value):
            raise not_finite((*path, key), value, tree, origin)


def _walk(path: KeyPath, tree: Mapping[Any, Any]) -> Iterator[tuple[KeyPath, Any, Any]]:
    for key, value in tree.items():
        yield path, key, value
        if isinstance(value, Mapping):
            yield from _walk((*path, str(key)), value)


def _finite(value: float) -> bool:
    return float("-inf") < value < float("inf")
