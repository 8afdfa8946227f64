"""Locks between workers and processes; they die with their process and leave no file behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

_POLL: Final = 0.05
"""Seconds between two looks at a lock that somebody else holds."""


@contextmanager
def held(
    path: Path, *, timeout: float = -1, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Hold a lock for the length of the block.

    Parameters
    ----------
    path : pathlib.Path
        Lock file, in a folder that exists.
    timeout : float
        Seconds to wait; negative: for ever, 0: not at all.
    cancelled : Callable
        True ends the wait.

    Raises
    ------
    filelock.Timeout
        It was not to be had in time, or the wait was cancelled.
    """
    lock = FileLock(path)
    lock.acquire(timeout=timeout, poll_interval=_POLL, cancel_check=cancelled)
    try:
        yield
    finally:
        # Whoever opened this file meanwhile sees that it has no name any more, and opens another.
        path.unlink(missing_ok=True)
        lock.release()
