"""Orders in trouble: unknown outcomes, orders nobody acknowledged, broker errors, slow answers."""

from collections.abc import Callable, Sequence

from tradingd.daemon.checks.check import Finding, Limits, spoken
from tradingd.domain.health import Grade


class UnknownOrdersCheck:
    """DEGRADED with any order of unknown outcome; FAILED when one stays unproven too long.

    Parameters
    ----------
    ages : callable
        Seconds since each such order was sent.
    limits : callable
        Limits in force.
    """

    name = "unknown_orders"
    beats = False
    critical = True

    def __init__(self, ages: Callable[[], Sequence[float]], limits: Limits) -> None:
        self._ages = ages
        self._limits = limits

    def look(self) -> Finding:
        """Return how many there are and how old the oldest is."""
        allowed = self._limits().unknown_order_seconds
        limit = f"proven within {spoken(allowed)}"
        ages = self._ages()
        if not ages:
            return Finding(grade=Grade.OK, value="none", limit=limit)
        value = f"{len(ages)}, the oldest {spoken(max(ages))}"
        if max(ages) >= allowed:
            return Finding(
                grade=Grade.FAILED,
                value=value,
                limit=limit,
                action="entries are paused; the broker is asked again; never sent twice",
                next_step="look the order up at the broker; tradingctl orders names it",
            )
        return Finding(
            grade=Grade.DEGRADED, value=value, limit=limit, action="the broker is being asked"
        )


class PendingOrdersCheck:
    """DEGRADED when the broker has not acknowledged an order for too long.

    Parameters
    ----------
    ages : callable
        Seconds since each order without an acknowledgement was written down.
    limits : callable
        Limits in force.
    """

    name = "pending_orders"
    beats = False
    critical = False

    def __init__(self, ages: Callable[[], Sequence[float]], limits: Limits) -> None:
        self._ages = ages
        self._limits = limits

    def look(self) -> Finding:
        """Return how many there are and how old the oldest is."""
        allowed = self._limits().pending_order_seconds
        limit = f"acknowledged within {spoken(allowed)}"
        ages = self._ages()
        if not ages:
            return Finding(grade=Grade.OK, value="none", limit=limit)
        value = f"{len(ages)}, the oldest {spoken(max(ages))}"
        if max(ages) >= allowed:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="tradingctl orders names it; tradingctl cancel takes it back",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)


class BrokerErrorsCheck:
    """DEGRADED from half the number of errors a minute that trips the kill switch.

    Parameters
    ----------
    errors : callable
        Broker errors within the last minute.
    limits : callable
        Limits in force.
    """

    name = "broker_errors"
    beats = False
    critical = False

    def __init__(self, errors: Callable[[], int], limits: Limits) -> None:
        self._errors = errors
        self._limits = limits

    def look(self) -> Finding:
        """Return the errors of the last minute."""
        allowed, found = self._limits().broker_errors, self._errors()
        limit = f"the kill switch halts at {allowed} a minute" if allowed else "off"
        value = f"{found} in the last minute"
        if allowed and found * 2 >= allowed:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="read the rejections: tradingd journal orders --status REJECTED",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)


class ExecutionLatencyCheck:
    """DEGRADED when the broker takes too long to answer a command.

    Parameters
    ----------
    slowest : callable
        Seconds of the slowest answer of the last minutes; None without any.
    limits : callable
        Limits in force.
    """

    name = "execution_latency"
    beats = False
    critical = False

    def __init__(self, slowest: Callable[[], float | None], limits: Limits) -> None:
        self._slowest = slowest
        self._limits = limits

    def look(self) -> Finding:
        """Return the slowest recent answer."""
        allowed, slowest = self._limits().execution_seconds, self._slowest()
        limit = f"answers within {spoken(allowed)}"
        if slowest is None:
            return Finding(grade=Grade.OK, value="no order sent lately", limit=limit)
        value = f"slowest answer {slowest * 1_000:.0f} ms"
        if slowest > allowed:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="check the network and the broker's status page",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)
