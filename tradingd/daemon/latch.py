"""Read the two files that stop trading from outside: the flag ``HALT`` and the latch.

Anybody who may write the state folder can drop the flag; the kill switch, a program of its own,
leaves the latch. A file that is there and cannot be read counts: its author wanted a stop.
"""

from pathlib import Path
from typing import Final

import msgspec

FLAG: Final = "HALT"
LATCH: Final = "latch.json"
_LONGEST: Final = 500


class Latch(msgspec.Struct, frozen=True):
    """Content of the latch file; `since` is wall time as its writer gave it."""

    reason: str = ""
    author: str = ""
    since: int | str = 0


def flag_reason(state: Path) -> str | None:
    """Return the first line of the flag file of a state folder; None when there is none."""
    text = _text(state / FLAG)
    return None if text is None else text.strip().partition("\n")[0]


def latch_reason(state: Path) -> str | None:
    """Return who latched the kill switch and why; None when there is no latch."""
    text = _text(state / LATCH)
    if text is None:
        return None
    try:
        latch = msgspec.json.decode(text, type=Latch)
    except (msgspec.DecodeError, UnicodeError):
        return f"a latch file that cannot be understood: {text[:80]!r}"
    return f"{latch.reason or 'no reason given'} (by {latch.author or 'unknown'})"


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LONGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"unreadable file: {error.strerror}"
