"""One writer at a time; the lock dies with its process, so a kill leaves nothing to clean up."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from tradingd.kits.failure import ExitCode, Failure

LOCK_NAME: Final = ".lock"
HOLDER_NAME: Final = ".holder"


@contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """Hold the store for writing; creates the folder.

    Raises
    ------
    Failure
        STORE_LOCKED when another process writes; STORE_WRITE when the folder cannot be written.
    """
    with refusing_writes(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / LOCK_NAME, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise _locked(root) from error
    try:
        with suppress(OSError):
            (root / HOLDER_NAME).write_text(f"{os.getpid()}\n")
        yield
    finally:
        lock.release()


def _locked(root: Path) -> Failure:
    holder = ""
    with suppress(OSError):
        holder = (root / HOLDER_NAME).read_text().strip()
    return Failure(
        "another process is writing to the history store",
        code=ExitCode.STORE_LOCKED,
        where=str(root),
        expected="one writer at a time",
        found=f"process {holder}" if holder else "a held lock",
        next_step="wait until it ends, then try again",
    )


@contextmanager
def refusing_writes(root: Path) -> Iterator[None]:
    """Translate a full disk or a folder without permission into one Failure."""
    try:
        yield
    except OSError as error:
        raise Failure(
            "the history store cannot be written",
            code=ExitCode.STORE_WRITE,
            where=error.filename or str(root),
            expected="a writable folder with free space",
            found=error.strerror or str(error),
            next_step="free space or fix permissions, then run the same command again",
        ) from error
