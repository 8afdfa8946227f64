"""Readings of the machine for the checks; each costs some microseconds and never waits."""

import os
from pathlib import Path

import msgspec
import psutil

_GIGABYTE = 1_000_000_000


class DiskSpace(msgspec.Struct, frozen=True):
    """Space that an ordinary user may still fill."""

    free_percent: float
    free_gb: float


def memory_percent() -> float:
    """Return the machine's memory in use, percent."""
    return float(psutil.virtual_memory().percent)


def disk_space(folder: Path) -> DiskSpace:
    """Return the space left on the disk of a folder."""
    facts = os.statvfs(folder)
    total = max(facts.f_blocks - facts.f_bfree + facts.f_bavail, 1)
    return DiskSpace(
        free_percent=100 * facts.f_bavail / total,
        free_gb=facts.f_bavail * facts.f_frsize / _GIGABYTE,
    )


class CpuMeter:
    """Processor time in use between two questions, smoothed: one busy second is no trouble.

    Parameters
    ----------
    weight : float
        Share of the newest reading, above 0 up to 1; 0.05 at one a second remembers 20 s.
    """

    def __init__(self, weight: float = 0.05) -> None:
        self._weight = weight
        self._smoothed: float | None = None

    def __call__(self) -> float:
        """Return percent of all processors; 0.0 at the first question, which only begins."""
        used = float(psutil.cpu_percent(interval=None))
        if self._smoothed is None:
            self._smoothed = 0.0
        else:
            self._smoothed += self._weight * (used - self._smoothed)
        return self._smoothed
