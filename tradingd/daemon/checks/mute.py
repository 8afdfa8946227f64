"""Symbols that are subscribed and silent while others speak."""

from collections.abc import Callable, Sequence
from typing import Final

from tradingd.daemon.checks.check import Finding
from tradingd.domain.health import Grade

_SHOWN: Final = 5


class MuteCheck:
    """DEGRADED while a symbol of a live feed is mute: it is subscribed anew by the feed.

    Parameters
    ----------
    mute : callable
        Symbols that are silent for too long while others speak.
    """

    name = "mute_symbols"
    beats = False
    critical = False

    def __init__(self, mute: Callable[[], Sequence[str]]) -> None:
        self._mute = mute

    def look(self) -> Finding:
        """Return what is mute."""
        found, limit = self._mute(), "none"
        if not found:
            return Finding(grade=Grade.OK, value="every symbol has spoken", limit=limit)
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return Finding(
            grade=Grade.DEGRADED,
            value=", ".join(found[:_SHOWN]) + more,
            limit=limit,
            action="they are subscribed anew",
            next_step="do they trade today? then ask the vendor's status page",
        )
