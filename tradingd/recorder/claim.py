"""Whose a capture's folder is: a kernel lock that dies with its process, in a folder of its own."""

import fcntl
import os
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"


class Claim:
    """A lock on a folder; it moves with the folder when that is renamed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let go; does nothing the second time."""
        if self._descriptor is not None:
            # Said, not left to the close: a child between fork and exec has a copy for a moment.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None


def claim(folder: Path, *, make: bool = False) -> Claim | None:
    """Lock a folder without waiting; None: somebody else holds it, or it has just gone."""
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if make else 0), 0o660)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # Whoever held it before may have published and removed the folder meanwhile.
    if not _same(path, descriptor):
        os.close(descriptor)
        return None
    return Claim(descriptor)


def _same(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
