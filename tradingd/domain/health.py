"""Health checks: what is measured, what is allowed, since when it is broken, what happens then."""

from enum import StrEnum

import msgspec


class Grade(StrEnum):
    """OK; DEGRADED: it works, somebody should look; FAILED: its documented action is in force.

    FAILED of a check that `beats` stops the watchdog's beat; of a `critical` one pauses entries.
    """

    OK = "OK"
    DEGRADED = "DEGRADED"
    FAILED = "FAILED"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The present result of one check, as `tradingctl health` shows it.

    `since` is the wall time (UTC ns) of the last change of grade; `action` is what the daemon does
    about it by itself, `next_step` what a person can do. `beats` marks checks whose failure stops
    the watchdog's beat (liveness); the others only degrade (readiness).
    """

    name: str
    grade: Grade
    value: str
    limit: str
    since: int
    action: str
    next_step: str
    critical: bool
    beats: bool = False
