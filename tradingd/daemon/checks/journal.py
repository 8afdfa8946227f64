"""Tell whether the journal's writer commits."""

from tradingd.daemon.checks.check import Finding, Limits, spoken
from tradingd.domain.health import Grade
from tradingd.domain.journal import Journal


class JournalCheck:
    """FAILED when the writer has stopped or its oldest write waits too long; nothing is sent then.

    DEGRADED from half the limit on.
    """

    name = "journal"
    beats = True
    critical = True

    def __init__(self, journal: Journal, limits: Limits) -> None:
        self._journal = journal
        self._limits = limits

    def look(self) -> Finding:
        """Return the age of the oldest write that is not committed."""
        allowed = self._limits().journal_stall_seconds
        limit = f"a write committed within {spoken(allowed)}"
        if (error := self._journal.failure) is not None:
            return Finding(
                grade=Grade.FAILED,
                value=f"the writer has stopped: {error}",
                limit=limit,
                action="nothing is sent; the beat is withheld: systemd restarts the daemon",
                next_step="free space or repair the disk; tradingd journal stats reads the file",
            )
        waiting = self._journal.oldest_pending
        value = f"oldest write waits {spoken(waiting)}" if waiting else "all committed"
        if waiting > allowed:
            return Finding(
                grade=Grade.FAILED,
                value=value,
                limit=limit,
                action="nothing is sent; the beat is withheld: systemd restarts the daemon",
                next_step="look for a slow or full disk, or a program that locks the journal",
            )
        if waiting > allowed / 2:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="orders wait for their intent to be committed",
                next_step="look for a slow disk, or a program that locks the journal",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)
