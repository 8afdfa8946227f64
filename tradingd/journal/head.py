"""The audit's head in a second place: a small file beside the journal, so that a cut tail shows.

One line of fixed width, ``NUMBER HASH``, overwritten in place after each commit that audits. It may
be behind the table (the process died in between), never ahead of it.
"""

import os
import re
from pathlib import Path
from typing import Final

from tradingd.journal.chain import Head

NAME: Final = "audit.head"
_LINE = re.compile(r"(\d{20}) ([0-9a-f]{64})\n")


def head_path(journal: Path) -> Path:
    """Return the head file of a journal."""
    return journal.with_name(NAME)


def read_head(journal: Path) -> Head | None:
    """Return what the head file says; None when it is missing or not readable as one."""
    try:
        found = _LINE.fullmatch(head_path(journal).read_text("ascii", "replace"))
    except FileNotFoundError:
        return None
    return Head(int(found[1]), found[2]) if found else None


class HeadFile:
    """The head file of a journal, open for writing (mode 0600)."""

    def __init__(self, journal: Path) -> None:
        self._path = head_path(journal)
        self._descriptor = -1

    def write(self, head: Head) -> None:
        """Overwrite the line in one call; the page cache survives the death of the process."""
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        line = f"{head.number:020d} {head.hash}\n".encode()
        os.pwrite(self._descriptor, line, 0)
        if os.fstat(self._descriptor).st_size != len(line):
            os.ftruncate(self._descriptor, len(line))

    def close(self) -> None:
        """Flush the file to the disk and close it."""
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
