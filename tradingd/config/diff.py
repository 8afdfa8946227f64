"""Compare two effective configurations key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tradingd.config.keys import KeyPath, dotted


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One key whose value differs; `ABSENT` where a side has no such key."""

    key: str
    left: Any
    right: Any


ABSENT = "-"


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return the keys that differ between two effective trees, in the order of the left one."""
    ours, theirs = dict(leaves(left)), dict(leaves(right))
    return tuple(
        Difference(key=dotted(path), left=ours.get(path, ABSENT), right=theirs.get(path, ABSENT))
        for path in dict.fromkeys([*ours, *theirs])
        if path not in ours or path not in theirs or ours[path] != theirs[path]
    )


def leaves(tree: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every leaf of a tree with its path; a list is one leaf."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value
