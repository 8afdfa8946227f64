"""What a health check is, and what it finds."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.health import Grade

type Seconds = Callable[[], float]
"""A clock that never steps: seconds since some moment (the loop's time, `time.monotonic`)."""

type Limits = Callable[[], SupervisionConfig]
"""The limits in force now; a reload changes what it returns."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check finds at one moment; see `tradingd.domain.health.Reading` for the fields."""

    grade: Grade
    value: str
    limit: str
    action: str = ""
    next_step: str = ""


class Check(Protocol):
    """One subject of supervision.

    `beats`: while it is FAILED the watchdog's beat is withheld, and systemd restarts the daemon.
    `critical`: while it is FAILED entries are paused and the daemon is not ready.
    """

    @property
    def name(self) -> str:
        """Short name, unique among the checks."""
        ...

    @property
    def beats(self) -> bool:
        """Whether its failure stops the beat."""
        ...

    @property
    def critical(self) -> bool:
        """Whether its failure pauses entries."""
        ...

    def look(self) -> Finding:
        """Return what is so now; called about once a second on the event loop."""
        ...


def spoken(seconds: float) -> str:
    """Return a duration as a person reads it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
