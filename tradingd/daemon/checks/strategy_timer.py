"""Tell whether every strategy's timer in the engine still fires.

The engine's timers run on a thread of their own, so that a blocked strategy does not stop the
event loop: a beat from the loop alone would prove nothing.
"""

from collections.abc import Callable, Mapping

from tradingd.daemon.checks.check import Finding, Limits, Seconds, spoken
from tradingd.domain.health import Grade


class StrategyTimerCheck:
    """FAILED while a strategy's counter stands still, or has never counted.

    Parameters
    ----------
    progress : callable
        Strategy -> how often its timer has fired.
    limits, seconds : callable
        Limits in force; a monotonic clock.
    """

    name = "strategy_timer"
    beats = True
    critical = True

    def __init__(
        self, progress: Callable[[], Mapping[str, int]], limits: Limits, seconds: Seconds
    ) -> None:
        self._progress = progress
        self._limits = limits
        self._seconds = seconds
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self) -> Finding:
        """Return the strategy that has stood still longest."""
        now, allowed = self._seconds(), self._limits().strategy_stall_seconds
        counts = self._progress()
        for strategy, count in counts.items():
            if self._seen.get(strategy, (None, 0.0))[0] != count:
                self._seen[strategy] = (count, now)
        limit = f"{spoken(allowed)} without progress"
        never = sorted(name for name, count in counts.items() if not count)
        if never or not counts:
            return _failed(f"timer of {', '.join(never) or 'no strategy'} has not fired yet", limit)
        still, worst = max((now - self._seen[name][1], name) for name in counts)
        if still > allowed:
            return _failed(f"{worst} has stood still for {spoken(still)}", limit)
        return Finding(
            grade=Grade.OK, value=f"{len(counts)} advancing, last {spoken(still)} ago", limit=limit
        )


def _failed(value: str, limit: str) -> Finding:
    return Finding(
        grade=Grade.FAILED,
        value=value,
        limit=limit,
        action="the watchdog's beat is withheld: systemd restarts the daemon",
        next_step="read the stacks in the log: a strategy blocks in a callback",
    )
