"""The hash that identifies a configuration: equal when, and only when, results must be."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradingd.config.system import SystemConfig
from tradingd.kits.hashing import stable_hash

LOCATIONS: Final = (("store", "root"), ("store", "level2"), ("mode", "results"))
"""Keys that say where files are and decide no result; the hash leaves them out."""

OBSERVERS: Final = (
    "alerts", "telemetry", "sync", "depth", "record", "backfill", "scan", "registry", "training",
    "features",
)  # fmt: skip
"""Groups that watch, tell, or fetch history; they decide no result either.

Two do in one case each (`config_hash`): `depth` for a backtest over order books, `features` where
a model is asked.
"""


def effective_tree(config: SystemConfig) -> dict[str, Any]:
    """Return every value, defaults included, as plain builtins with one spelling per number."""
    tree: dict[str, Any] = msgspec.to_builtins(config, builtin_types=(Decimal,))
    return {name: _one_spelling(value) for name, value in tree.items()}


def _one_spelling(value: Any) -> Any:
    """Return a value that is written alike however it was typed (1000.10 and 1000.1; -0 and 0)."""
    match value:
        case Mapping():
            return {name: _one_spelling(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_one_spelling(inner) for inner in value]
        case Decimal():
            return format(value.normalize(), "f")
        case float():
            return value + 0.0
        case _:
            return value


def config_hash(tree: Mapping[str, Any]) -> str:
    """Return the SHA-256 hex digest of an effective tree without its locations."""
    kept = {
        name: {key: leaf for key, leaf in part.items() if (name, key) not in LOCATIONS}
        if isinstance(part, Mapping)
        else part
        for name, part in tree.items()
        if name not in OBSERVERS
    }
    if _over_books(tree):
        kept["depth"] = {"kind": tree["depth"]["kind"]}
    if isinstance(model := tree.get("model"), Mapping) and model.get("kind") != "none":
        kept["features"] = tree["features"]
    return stable_hash(kept)


def _over_books(tree: Mapping[str, Any]) -> bool:
    """Tell whether a run trades in order books: then where they come from decides its results.

    Which files those are is the data's fingerprint, as with the store's; the pace of a replay is
    nothing to a backtest.
    """
    mode, depth = tree.get("mode"), tree.get("depth")
    backtest = isinstance(mode, Mapping) and mode.get("kind") == "backtest"
    return backtest and isinstance(depth, Mapping) and depth.get("kind") != "none"
