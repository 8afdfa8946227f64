"""What stops trading by itself: pure triggers over one observation, each latched once it fired.

At its limit a trigger fires. It does nothing itself: the daemon halts, or flattens and halts, as
the trip says. After a reset a trigger whose cause is still there fires again at the next look.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.silence import silence_limits
from tradingd.domain.money import Nanos

_NANOS: Final = 1_000_000_000


class Remedy(StrEnum):
    """What to do: cancel and send nothing more, or close everything first."""

    HALT = "HALT"
    FLATTEN = "FLATTEN"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one moment.

    Parameters
    ----------
    equity, day_peak : int
        The account now and the day's high, Nanos.
    broker_errors : int
        Errors of the broker within the last minute.
    silence : float, optional
        Seconds without data while data is due; None: none is due.
    seconds_between : float
        Wall seconds between batches, which scales the limit of `silence`.
    flag : str, optional
        Content of the flag file ``HALT`` in the state folder; None: there is none.
    latch : str, optional
        Reason in the kill switch's latch file; None: there is none.
    manual : str, optional
        Who pulled the switch, and why; None: nobody.
    """

    equity: Nanos
    day_peak: Nanos
    broker_errors: int = 0
    silence: float | None = None
    seconds_between: float = 0.0
    flag: str | None = None
    latch: str | None = None
    manual: str | None = None


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger that fired: what to do, and what was found against what is allowed."""

    trigger: str
    remedy: Remedy
    reason: str


type Trigger = Callable[[Observation, SupervisionConfig], str | None]
"""Returns the reason to fire, None while there is none."""


def _drawdown(seen: Observation, limits: SupervisionConfig) -> str | None:
    allowed, peak = Fraction(str(limits.kill_drawdown_percent)), seen.day_peak
    fall = peak - seen.equity
    if not allowed or peak <= 0 or fall * 100 < allowed * peak:
        return None
    return (
        f"equity is {fall * 100 / peak:.2f} % below the day's high of {peak / _NANOS:,.2f}, "
        f"allowed is less than {limits.kill_drawdown_percent:g} %"
    )


def _broker_errors(seen: Observation, limits: SupervisionConfig) -> str | None:
    if not limits.broker_errors or seen.broker_errors < limits.broker_errors:
        return None
    return f"{seen.broker_errors} broker errors in a minute, the limit is {limits.broker_errors}"


def _feed_silence(seen: Observation, limits: SupervisionConfig) -> str | None:
    allowed = silence_limits(limits, seen.seconds_between).kill
    if seen.silence is None or seen.silence < allowed:
        return None
    return f"no data for {seen.silence:.0f} s in an open market, the limit is {allowed:.0f} s"


def _flag_file(seen: Observation, limits: SupervisionConfig) -> str | None:
    return None if seen.flag is None else f"flag file HALT: {seen.flag or 'no reason given'}"


def _latch_file(seen: Observation, limits: SupervisionConfig) -> str | None:
    return None if seen.latch is None else f"kill switch: {seen.latch or 'no reason given'}"


def _manual(seen: Observation, limits: SupervisionConfig) -> str | None:
    return seen.manual


TRIGGERS: Final[dict[str, tuple[Trigger, Remedy]]] = {
    "drawdown": (_drawdown, Remedy.FLATTEN),
    "broker_errors": (_broker_errors, Remedy.HALT),
    "feed_silence": (_feed_silence, Remedy.HALT),
    "flag_file": (_flag_file, Remedy.HALT),
    "latch_file": (_latch_file, Remedy.HALT),
    "manual": (_manual, Remedy.HALT),
}
"""Every trigger and its remedy, the most urgent first."""


class KillSwitch:
    """Remembers which triggers have fired, so that each acts once.

    Parameters
    ----------
    limits : callable
        Limits in force.
    fired : iterable of str
        Triggers that an earlier process has acted on and nobody has reset.
    """

    def __init__(
        self, limits: Callable[[], SupervisionConfig], *, fired: Iterable[str] = ()
    ) -> None:
        self._limits = limits
        self._fired = set(fired) & set(TRIGGERS)

    @property
    def fired(self) -> frozenset[str]:
        """Names of the triggers that have fired since the last reset; keep them over a restart."""
        return frozenset(self._fired)

    def judge(self, seen: Observation) -> tuple[Trip, ...]:
        """Return the triggers that fire now and have not fired before."""
        limits = self._limits()
        trips = tuple(
            Trip(trigger=name, remedy=remedy, reason=reason)
            for name, (trigger, remedy) in TRIGGERS.items()
            if name not in self._fired and (reason := trigger(seen, limits)) is not None
        )
        self._fired.update(trip.trigger for trip in trips)
        return trips

    def reset(self) -> frozenset[str]:
        """Arm every trigger again; return those that had fired."""
        before = self.fired
        self._fired.clear()
        return before


def remedy_of(trips: Iterable[Trip]) -> Remedy | None:
    """Return the strongest remedy of some trips, None without any."""
    found = {trip.remedy for trip in trips}
    return Remedy.FLATTEN if Remedy.FLATTEN in found else Remedy.HALT if found else None
