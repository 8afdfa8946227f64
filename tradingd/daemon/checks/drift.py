"""The broker's clock against ours."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding, Limits
from tradingd.daemon.drift import Drift
from tradingd.domain.health import Grade


class BrokerClockCheck:
    """DEGRADED when the broker's clock certainly differs by more than ``clock_drift_ms``.

    Parameters
    ----------
    drift : callable
        The last measurement; None before the first, and for a broker without a clock.
    limits : callable
        Limits in force.
    """

    name = "broker_clock"
    beats = False
    critical = False

    def __init__(self, drift: Callable[[], Drift | None], limits: Limits) -> None:
        self._drift = drift
        self._limits = limits

    def look(self) -> Finding:
        """Return the drift."""
        drift, allowed = self._drift(), self._limits().clock_drift_ms
        limit = f"{allowed:g} ms"
        if drift is None:
            return Finding(grade=Grade.OK, value="not measured", limit=limit)
        value = f"{drift.offset * 1000:+.0f} ms, give or take {drift.uncertain * 1000:.0f}"
        if drift.proven * 1000 <= allowed:
            return Finding(grade=Grade.OK, value=value, limit=limit)
        return Finding(
            grade=Grade.DEGRADED,
            value=value,
            limit=limit,
            action="an alert is sent",
            next_step="chronyc tracking; if ours is right, the broker's status page",
        )
