"""The hash that identifies a configuration: equal when, and only when, results must be."""

from collections.abc import Mapping
from typing import Any, Final

from tradingd.kits.hashing import stable_hash

LOCATIONS: Final = (("store", "root"), ("mode", "results"))
"""Keys that say where files are and decide no result; the hash leaves them out."""


def config_hash(tree: Mapping[str, Any]) -> str:
    """Return the SHA-256 hex digest of an effective configuration without its locations."""
    kept = {
        name: {key: leaf for key, leaf in part.items() if (name, key) not in LOCATIONS}
        if isinstance(part, Mapping)
        else part
        for name, part in tree.items()
    }
    return stable_hash(kept)
