"""Two manifests side by side: every value that differs, by its path."""

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tradingd.domain.manifest import ModelManifest, to_document
from tradingd.kits.hashing import stable_hash

_WHOLE: Final = ("drift", "calibration.scores", "calibration.probabilities", "gates", "files")
"""Too much to be read: only whether they differ is told."""

_NO_MATTER: Final = ("version", "status", "created", "production", "champion")
"""Of any two versions; who wants them has `model show`."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One value; None where a side does not have it. `change` of two numbers is right - left."""

    path: str
    left: Any
    right: Any
    change: float | None = None


def differences(left: ModelManifest, right: ModelManifest) -> Iterator[Difference]:
    """Yield what differs, metrics first, then by path."""
    one, other = (dict(_flat(to_document(side))) for side in (left, right))
    paths = sorted({*one, *other}, key=lambda path: (not path.startswith("metrics."), path))
    for path in paths:
        first, second = one.get(path), other.get(path)
        if first != second:
            yield Difference(path=path, left=first, right=second, change=_change(first, second))


def _flat(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if path in _NO_MATTER:
        return
    if path in _WHOLE:
        yield path, f"sha256 {stable_hash(tree)[:12]}"
    elif path == "features":
        yield from ((f"features.{one['name']}", one["dtype"]) for one in tree)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _flat(value, f"{path}.{key}" if path else key)
    else:
        yield path, tree


def _change(left: Any, right: Any) -> float | None:
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (left, right)):
        return None
    change = right - left
    return float(change) if math.isfinite(change) else None
