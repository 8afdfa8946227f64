"""How late the event loop runs what is due."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding, Limits
from tradingd.daemon.lag import Lag
from tradingd.domain.health import Grade


class LoopCheck:
    """DEGRADED when something has blocked the loop for too long within the window.

    A loop that stands still altogether runs no check and sends no beat: systemd notices.

    Parameters
    ----------
    lag : callable
        The sampler's window.
    limits : callable
        Limits in force.
    """

    name = "loop"
    beats = False
    critical = False

    def __init__(self, lag: Callable[[], Lag], limits: Limits) -> None:
        self._lag = lag
        self._limits = limits

    def look(self) -> Finding:
        """Return the worst and the median lag of the window."""
        allowed, lag = self._limits().loop_lag_ms, self._lag()
        limit = f"{allowed:g} ms at most"
        if not lag.samples:
            return Finding(grade=Grade.OK, value="not measured yet", limit=limit)
        value = f"at most {lag.max_ms:.1f} ms, median {lag.p50_ms:.1f} ms"
        if lag.max_ms > allowed:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="a callback blocks the loop: look at the log around the time",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)
