"""Tell whether the broker answers. Round trips judge; the client's flag is shown, not believed."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding, Limits, Seconds, spoken
from tradingd.daemon.pinger import Ping
from tradingd.domain.health import Grade


class BrokerCheck:
    """FAILED when the last answer is too old or came too slowly: entries are paused.

    A broker that is away never stops the beat: a restart does not bring it back, and open
    positions must be managed the moment it is there again.

    Parameters
    ----------
    ping : callable
        The last result of the pinger.
    connected : callable
        What the client believes.
    limits, seconds : callable
        Limits in force; the pinger's clock.
    """

    name = "broker"
    beats = False
    critical = True

    def __init__(
        self,
        ping: Callable[[], Ping],
        connected: Callable[[], bool],
        limits: Limits,
        seconds: Seconds,
    ) -> None:
        self._ping = ping
        self._connected = connected
        self._limits = limits
        self._seconds = seconds

    def look(self) -> Finding:
        """Return the age and length of the last round trip."""
        limits, ping = self._limits(), self._ping()
        oldest = limits.ping_every_seconds + limits.ping_seconds
        limit = f"answer within {spoken(limits.ping_seconds)}, at most {spoken(oldest)} old"
        if ping.answered is None:
            return self._away(f"never answered ({ping.trouble})", limit)
        age = self._seconds() - ping.answered
        value = f"answered {spoken(age)} ago in {ping.round_trip * 1_000:.1f} ms"
        if age > oldest:
            return self._away(f"{value}, then: {ping.trouble or 'not asked'}", limit)
        if ping.round_trip > limits.ping_seconds:
            return self._away(value, limit)
        if ping.trouble:
            return Finding(
                grade=Grade.DEGRADED,
                value=f"{value}, then: {ping.trouble}",
                limit=limit,
                action="the next ping decides",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)

    def _away(self, value: str, limit: str) -> Finding:
        mute = "connected but mute: " if self._connected() else "not connected: "
        return Finding(
            grade=Grade.FAILED,
            value=mute + value,
            limit=limit,
            action="entries are paused; the client reconnects, then reconciles",
            next_step="check the broker and the network; stops already at the broker still work",
        )
