"""Tells a mute stream: connected, and silent about what the account shows when it is asked. Pure.

Whatever a question shows that the stream has not told is noted; if the stream has not told it a few
seconds later either, it is mute. Times are seconds of a monotonic clock.
"""

from typing import Final

import msgspec

PATIENCE: Final = 4.0
"""Seconds that an event may come after the answer to a question."""


class _Shown(msgspec.Struct, frozen=True):
    filled: int
    over: bool
    since: float


class Ear:
    """Compares what questions show with what the stream tells."""

    def __init__(self) -> None:
        self._shown: dict[str, _Shown] = {}

    def shown(self, order_id: str, *, filled: int, over: bool, now: float) -> None:
        """Take note of a change that a question has shown and the stream has not told yet."""
        known = self._shown.get(order_id)
        since = now if known is None else known.since
        self._shown[order_id] = _Shown(filled, over, since)

    def heard(self, order_id: str, *, filled: int, over: bool) -> None:
        """Take note of what the stream tells of an order."""
        known = self._shown.get(order_id)
        if known is not None and filled >= known.filled and (over or not known.over):
            del self._shown[order_id]

    def mute(self, now: float) -> str:
        """Return an order that the stream is overdue with, empty when there is none."""
        late = (one for one, shown in self._shown.items() if now - shown.since >= PATIENCE)
        return next(late, "")

    def forget(self) -> None:
        """Begin anew: everything up to now has been asked for."""
        self._shown.clear()
