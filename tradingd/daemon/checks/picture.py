"""The engine's picture of the account against the book: strategies decide on the former."""

from collections.abc import Callable, Mapping

from tradingd.daemon.checks.check import Finding, Limits, Seconds, spoken
from tradingd.domain.health import Grade


class PictureCheck:
    """FAILED when a strategy has been shown another position than the book's for too long.

    Parameters
    ----------
    differences : callable
        (book, engine) by symbol where they differ now; a fill on its way may differ for a moment.
    limits, seconds : callable
        Limits in force; a monotonic clock.
    """

    name = "engine_picture"
    beats = False
    critical = True

    def __init__(
        self,
        differences: Callable[[], Mapping[str, tuple[int, int]]],
        limits: Limits,
        seconds: Seconds,
    ) -> None:
        self._differences = differences
        self._limits = limits
        self._seconds = seconds
        self._since: dict[str, float] = {}

    def look(self) -> Finding:
        """Return what differs, and for how long."""
        now, allowed = self._seconds(), self._limits().command_seconds
        found = self._differences()
        self._since = {symbol: self._since.get(symbol, now) for symbol in found}
        limit = f"the book's positions within {spoken(allowed)}"
        if not found:
            return Finding(grade=Grade.OK, value="as the book has it", limit=limit)
        symbol = min(self._since, key=lambda one: self._since[one])
        held, shown = found[symbol]
        age = now - self._since[symbol]
        value = f"{symbol}: book {held:+d}, engine {shown:+d} for {spoken(age)}"
        if age <= allowed:
            return Finding(grade=Grade.OK, value=value, limit=limit)
        return Finding(
            grade=Grade.FAILED,
            value=value,
            limit=limit,
            action="entries are paused",
            next_step="tradingctl positions; restart the daemon: it rebuilds both",
        )
