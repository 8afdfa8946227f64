"""How long the feed has been silent while the market should be speaking."""

import msgspec

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.checks.check import Seconds


class SilenceLimits(msgspec.Struct, frozen=True):
    """Seconds of silence that warn, pause entries, and trip the kill switch."""

    warn: float
    block: float
    kill: float


def silence_limits(config: SupervisionConfig, seconds_between: float) -> SilenceLimits:
    """Return the limits in force: as configured, but never below 1x, 2x, 4x the missed batches.

    Parameters
    ----------
    config : SupervisionConfig
        The configured limits, and how many batches may be missed.
    seconds_between : float
        Wall seconds between two batches of this feed while the market is open.
    """
    missed = config.feed_missed_batches * seconds_between
    return SilenceLimits(
        warn=max(config.feed_warn_seconds, missed),
        block=max(config.feed_block_seconds, 2 * missed),
        kill=max(config.feed_kill_seconds, 4 * missed),
    )


class SilenceWatch:
    """Counts from the last batch or from the moment data began to be due, whichever is later.

    So the night before an open does not count. One watch serves the feed check and the kill
    switch; `poll` it about once a second.
    """

    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds
        self._since = seconds()
        self._due = False

    def heard(self) -> None:
        """Note a batch that has arrived."""
        self._since = self._seconds()

    def poll(self, *, due: bool) -> float | None:
        """Return the seconds of silence; None while no data is due (`due`: market open)."""
        if due and not self._due:
            self._since = self._seconds()
        self._due = due
        return self._seconds() - self._since if due else None
