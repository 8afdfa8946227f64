"""Tell whether journal and broker agree on what the account holds."""

from collections.abc import Callable, Sequence

from tradingd.daemon.checks.check import Finding
from tradingd.domain.health import Grade
from tradingd.domain.states import MEND_STEP

_SHOWN = 3


class ReconciliationCheck:
    """FAILED until the first reconciliation, and while the last one found a contradiction.

    Parameters
    ----------
    mismatches : callable
        Contradictions of the last reconciliation, one sentence each; None before the first.
    """

    name = "reconciliation"
    beats = False
    critical = True

    def __init__(self, mismatches: Callable[[], Sequence[str] | None]) -> None:
        self._mismatches = mismatches

    def look(self) -> Finding:
        """Return what the last reconciliation found."""
        found, limit = self._mismatches(), "no contradiction"
        if found is None:
            return Finding(
                grade=Grade.FAILED,
                value="not reconciled yet",
                limit=limit,
                action="nothing is sent",
            )
        if not found:
            return Finding(grade=Grade.OK, value="journal and broker agree", limit=limit)
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return Finding(
            grade=Grade.FAILED,
            value="; ".join(found[:_SHOWN]) + more,
            limit=limit,
            action="entries are paused",
            next_step=MEND_STEP,
        )
