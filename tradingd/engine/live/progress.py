"""Proof that strategies get their turn: counts of the engine's one second timers."""

import time
from collections.abc import Iterable, Mapping


class TimerProgress:
    """Counts timers by strategy; a drill can make the next one block."""

    def __init__(self, strategies: Iterable[str]) -> None:
        self._counts: dict[str, int] = dict.fromkeys(strategies, 0)
        self._freeze = 0.0

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each strategy's timer has fired, as of now."""
        return dict(self._counts)

    def ticked(self, strategy: str) -> None:
        """Count one; called by the engine, on the strategy's turn."""
        if self._freeze:
            seconds, self._freeze = self._freeze, 0.0
            time.sleep(seconds)
        self._counts[strategy] += 1

    def freeze(self, seconds: float) -> None:
        """Block the next timer for that long."""
        self._freeze = seconds
