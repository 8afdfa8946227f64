"""Run the health checks and remember since when each is as it is."""

import logging
from collections.abc import Callable, Sequence

from tradingd.daemon.checks.check import Check, Finding
from tradingd.domain.health import Grade, Reading

log = logging.getLogger(__name__)

type OnChange = Callable[[Reading, Reading | None], None]
"""Hears a check whose grade has changed, and its reading before (None: the first one)."""

_RANK = {Grade.OK: 0, Grade.DEGRADED: 1, Grade.FAILED: 2}


class HealthMonitor:
    """All checks of the daemon.

    Parameters
    ----------
    checks : sequence of Check
        In the order they are shown; names must differ.
    clock_ns : callable
        Wall time, UTC ns.
    on_change : callable
        Hears every change of grade, and each check that is not OK when first looked at.
    """

    def __init__(
        self, checks: Sequence[Check], clock_ns: Callable[[], int], on_change: OnChange
    ) -> None:
        names = [check.name for check in checks]
        if len(set(names)) != len(names):
            raise ValueError(f"two checks of one name: {sorted(names)}")
        self._checks = tuple(checks)
        self._clock = clock_ns
        self._on_change = on_change
        self._readings: dict[str, Reading] = {}

    def evaluate(self) -> tuple[Reading, ...]:
        """Look at everything once; return the readings."""
        now = self._clock()
        for check in self._checks:
            before = self._readings.get(check.name)
            reading = _reading(check, _look(check), now, before)
            self._readings[check.name] = reading
            if reading.grade is not (before.grade if before else Grade.OK):
                self._on_change(reading, before)
        return self.readings()

    def readings(self) -> tuple[Reading, ...]:
        """Return the last readings; empty before the first evaluation."""
        return tuple(self._readings.values())

    @property
    def grade(self) -> Grade:
        """The worst grade there is."""
        return max((one.grade for one in self.readings()), key=_RANK.__getitem__, default=Grade.OK)

    @property
    def standstill(self) -> tuple[Reading, ...]:
        """Return the failed checks that stop the beat."""
        return tuple(one for one in self.readings() if one.beats and one.grade is Grade.FAILED)

    @property
    def blocking(self) -> tuple[Reading, ...]:
        """Return the failed critical checks: entries are paused while there is one."""
        return tuple(one for one in self.readings() if one.critical and one.grade is Grade.FAILED)

    @property
    def live(self) -> bool:
        """Whether everything that must make progress does."""
        return not self.standstill

    @property
    def ready(self) -> bool:
        """Whether everything critical was looked at and works."""
        return len(self._readings) == len(self._checks) and not self.blocking


def _look(check: Check) -> Finding:
    """Return the finding; a check that breaks proves nothing, so it is not OK."""
    try:
        return check.look()
    except Exception as error:
        log.exception("the health check %s broke", check.name)
        return Finding(
            grade=Grade.FAILED if check.beats or check.critical else Grade.DEGRADED,
            value=f"the check itself broke: {error!r}",
            limit="",
            action="taken for a failure",
            next_step="this is a bug: report the log of this moment",
        )


def _reading(check: Check, found: Finding, now: int, before: Reading | None) -> Reading:
    unchanged = before is not None and before.grade is found.grade
    return Reading(
        name=check.name,
        grade=found.grade,
        value=found.value,
        limit=found.limit,
        since=before.since if before is not None and unchanged else now,
        action=found.action,
        next_step=found.next_step,
        critical=check.critical,
        beats=check.beats,
    )
