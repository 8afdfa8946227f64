"""Tell whether data still comes: asked in an open market only, scaled to the cadence."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding, Limits, spoken
from tradingd.daemon.silence import silence_limits
from tradingd.domain.health import Grade


class FeedCheck:
    """DEGRADED: silent beyond the warning; FAILED: entries are paused until data is back.

    A silent feed never stops the beat: a restart does not bring the data back.

    Parameters
    ----------
    silence : callable
        Seconds of silence while data is due, None while none is due (market closed).
    seconds_between : callable
        Wall seconds between batches of this feed.
    limits : callable
        Limits in force.
    """

    name = "feed"
    beats = False
    critical = True

    def __init__(
        self,
        silence: Callable[[], float | None],
        seconds_between: Callable[[], float],
        limits: Limits,
    ) -> None:
        self._silence = silence
        self._between = seconds_between
        self._limits = limits

    def look(self) -> Finding:
        """Return how long the feed has been silent."""
        allowed = silence_limits(self._limits(), self._between())
        limit = (
            f"warn {spoken(allowed.warn)}, pause {spoken(allowed.block)}, "
            f"kill {spoken(allowed.kill)}"
        )
        silent = self._silence()
        if silent is None:
            return Finding(grade=Grade.OK, value="no data due: the market is closed", limit=limit)
        value = f"last batch {spoken(silent)} ago"
        if silent >= allowed.block:
            return Finding(
                grade=Grade.FAILED,
                value=value,
                limit=limit,
                action=f"entries are paused; the kill switch halts at {spoken(allowed.kill)}",
                next_step="check the data source; positions keep their stops at the broker",
            )
        if silent >= allowed.warn:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="check the data source",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)
