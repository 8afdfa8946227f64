"""Times of day as people type them: ``9:30`` and ``09:30`` beside ``09:30:00``.

YAML 1.1 reads an unquoted ``11:00`` as 660, a number in base 60 (yaml.org/type/int.html). Which
time was meant cannot be told (11:00, or 00:11:00), so a number is refused, never taken for a time.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from tradingd.config.keys import TIME_OF_DAY, KeyPath, describe

_SHORT: Final = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<rest>:\d{2}(?:\.\d{1,6})?)?")


def spelled_out(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree whose times of day are written HH:MM:SS; anything else stays as it is."""
    return _group((), tree, tree)


def _group(path: KeyPath, part: Mapping[Any, Any], tree: Mapping[str, Any]) -> dict[Any, Any]:
    return {
        key: _group((*path, str(key)), value, tree)
        if isinstance(value, Mapping)
        else _leaf((*path, str(key)), value, tree)
        for key, value in part.items()
    }


def _leaf(path: KeyPath, value: Any, tree: Mapping[str, Any]) -> Any:
    found = _SHORT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    known = describe(path, tree)
    if known is None or known.expected != TIME_OF_DAY:
        return value
    text = f"{int(found['hour']):02d}:{found['minute']}{found['rest'] or ':00'}"
    try:
        dt.time.fromisoformat(text)
    except ValueError:
        # What is refused is shown as it was typed.
        return value
    return text
