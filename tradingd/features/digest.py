"""What a model is bound to: the hash of a set of features."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from tradingd.features.feature import CrossFeature, Feature
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import stable_hash


def set_hash(
    features: Mapping[str, Feature],
    *,
    bars: str,
    benchmark: str,
    calendar: str,
    sectors: Mapping[str, str],
) -> str:
    """Return the SHA-256 of everything that the values follow from, beside the bars themselves.

    Names count, their order does not. Classes of your own count by the text of their module. The
    sectors count where a feature asks for them; announcement dates, new ones every day, never do.
    """
    counted: dict[str, Any] = {
        "features": {name: identity(one) for name, one in features.items()},
        "bars": bars,
        "benchmark": benchmark,
        "calendar": calendar,
    }
    if any(isinstance(one, CrossFeature) and one.refers_to_sectors for one in features.values()):
        counted["sectors"] = dict(sectors)
    return stable_hash(counted)


def identity(feature: Feature) -> dict[str, Any]:
    """Return kind, version, all parameters and, for a class of your own, its module's text."""
    found = {
        "kind": kind_of(feature),
        "version": feature.version,
        "params": msgspec.to_builtins(feature.params),
    }
    if not is_ours(type(feature)):
        found["source"] = _source(type(feature))
    return found


def kind_of(feature: Feature) -> str:
    """Return the kind as a configuration names it."""
    found = type(feature)
    return found.kind if is_ours(found) else f"{found.__module__}:{found.__qualname__}"


def is_ours(found: type[Feature]) -> bool:
    """Tell whether the class belongs to the catalogue."""
    return found.__module__.startswith("tradingd.features.families.")


def _source(found: type[Feature]) -> str:
    module = inspect.getmodule(found)
    try:
        return inspect.getsource(module if module is not None else found)
    except (OSError, TypeError) as error:
        raise Failure(
            f"the source text of {found.__module__}:{found.__qualname__} cannot be read",
            code=ExitCode.CONFIG,
            where="features.declared",
            expected="a class in a .py file: a model is bound to its text",
            found=str(error),
        ) from error
