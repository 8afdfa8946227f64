"""The manifest: one JSON line per task, only ever appended to, in the order of the tasks."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tradingd.backfill.locks import held
from tradingd.backfill.records import MANIFEST, Line
from tradingd.kits.atomicfile import fsync_file


class Manifest:
    """Appends lines as the tasks before them are done; used by one thread.

    A line is written in one go and flushed to the disk, so a kill leaves whole lines of the first
    tasks. A torn last line (a power loss, a full disk) is cut off before the next is appended.

    Parameters
    ----------
    root : pathlib.Path
        The folder of order books.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / MANIFEST
        self._lock = root / f".{MANIFEST}.lock"
        self._waiting: dict[int, Line] = {}
        self._next = 0

    def add(self, lines: Iterable[Line]) -> None:
        """Take tasks' lines, in any order; append what has its turn."""
        self._waiting.update((one.index, one) for one in lines)
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        self._append(ready)

    def close(self) -> None:
        """Append what still waits for tasks that will not end any more, in order."""
        self._append([self._waiting[index] for index in sorted(self._waiting)])
        self._waiting.clear()

    def _append(self, lines: list[Line]) -> None:
        if not lines:
            return
        text = b"".join(msgspec.json.encode(one) + b"\n" for one in lines)
        with held(self._lock):
            cut_torn_line(self.path)
            with self.path.open("ab", buffering=0) as stream:
                stream.write(text)
            fsync_file(self.path)


def cut_torn_line(path: Path) -> None:
    """Remove an unfinished last line; its task has no result and is done again."""
    try:
        stream = path.open("rb+")
    except FileNotFoundError:
        return
    with stream:
        end = stream.seek(0, os.SEEK_END)
        keep = end
        while keep:
            start = max(0, keep - 4096)
            stream.seek(start)
            block = stream.read(keep - start)
            if (at := block.rfind(b"\n")) >= 0:
                keep = start + at + 1
                break
            keep = start
        if keep < end:
            stream.truncate(keep)
