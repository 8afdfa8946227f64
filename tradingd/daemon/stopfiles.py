"""Read the two files that stop trading from outside: the flag ``HALT`` and the latch.

Anybody who may write the state folder can drop the flag; the kill switch, a program of its own,
leaves the latch. A file that is there and cannot be read counts: its author wanted a stop.
"""

from pathlib import Path
from typing import Final

from tradingd.kits import latch

_LONGEST: Final = 500


def flag_reason(state: Path) -> str | None:
    """Return the first line of a state folder's flag file, None when there is none."""
    try:
        with (state / latch.FLAG).open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LONGEST).strip().partition("\n")[0]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"


def latch_reason(state: Path) -> str | None:
    """Return why a state folder's kill switch is latched and by whom, None when it is not."""
    there = latch.read(state)
    return None if there is None else f"{there.reason} (by {there.author})"
