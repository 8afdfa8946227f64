"""Group `schedule`: jobs inside the process, on exchange time."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Count, Group, Minutes


class ScheduleConfig(Group, frozen=True, kw_only=True):
    """What the daemon does by the clock; heavy jobs are systemd timers instead."""

    flatten_before_close_minutes: Annotated[
        Minutes, Meta(description="Close every position this long before the close; 0: never.")
    ] = 0
    snapshot_seconds: Annotated[
        Count,
        Meta(
            description="Time between snapshots of the book; 0: after every batch only.",
            extra={"unit": "seconds"},
        ),
    ] = 60
    grace_minutes: Annotated[
        Minutes, Meta(description="A job that begins later than this counts as missed.")
    ] = 5
