"""Watch that positions are guarded as it was wanted, and that nothing is held by accident."""

from collections.abc import Callable, Sequence

from tradingd.daemon.checks.check import Finding, Limits, Seconds, spoken
from tradingd.domain.health import Grade


class ProtectionCheck:
    """FAILED when a wanted stop has not worked at the broker for longer than an answer may take.

    Parameters
    ----------
    unprotected, strays : callable
        Symbols whose stop is missing, and symbols with shares that are being closed again.
    limits, seconds : callable
        Limits in force; a monotonic clock.
    """

    name = "protection"
    beats = False
    critical = True

    def __init__(
        self,
        unprotected: Callable[[], Sequence[str]],
        strays: Callable[[], Sequence[str]],
        limits: Limits,
        seconds: Seconds,
    ) -> None:
        self._unprotected = unprotected
        self._strays = strays
        self._limits = limits
        self._seconds = seconds
        self._since: dict[str, float] = {}

    def look(self) -> Finding:
        """Return what is unguarded, and for how long."""
        now, allowed = self._seconds(), self._limits().command_seconds
        troubled = [f"{symbol} without its stop" for symbol in self._unprotected()]
        troubled += [f"{symbol} held by accident" for symbol in self._strays()]
        self._since = {what: self._since.get(what, now) for what in troubled}
        limit = f"a stop at the broker within {spoken(allowed)}"
        if not self._since:
            return Finding(grade=Grade.OK, value="every stop works at the broker", limit=limit)
        what, since = min(self._since.items(), key=lambda pair: pair[1])
        more = f" and {len(self._since) - 1} more" if len(self._since) > 1 else ""
        value = f"{what} for {spoken(now - since)}{more}"
        if now - since <= allowed:
            return Finding(grade=Grade.OK, value=value, limit=limit, action="it is being placed")
        return Finding(
            grade=Grade.FAILED,
            value=value,
            limit=limit,
            action="entries are paused; the stop is placed again and again",
            next_step="tradingctl orders; flatten the symbol, or place the stop at the broker",
        )
