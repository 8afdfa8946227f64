"""Limits of wall time that a machine which stands still for a while does not reach.

A daemon whose machine was away for ten seconds rightly opens nothing until it has looked around.
Tests that compare what was traded are not about that: they say so, and the tests that are state
limits of their own, later in the line.
"""

from typing import Final

PATIENT: Final = (
    "supervision.strategy_stall_seconds=120",
    "supervision.journal_stall_seconds=120",
    "supervision.ping_seconds=120",
    "supervision.command_seconds=60",
    "supervision.feed_warn_seconds=120",
    "supervision.feed_block_seconds=180",
    "supervision.feed_kill_seconds=240",
)
"""Overrides of a session's configuration."""
