"""The machine: memory, processor, disk, and how far its clock may be off."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding, Limits
from tradingd.daemon.kernel_clock import ClockState
from tradingd.daemon.readings import DiskSpace
from tradingd.domain.health import Grade


class MemoryCheck:
    """DEGRADED when too much of the machine's memory is in use.

    Parameters
    ----------
    used_percent : callable
        Memory in use, percent.
    limits : callable
        Limits in force.
    """

    name = "memory"
    beats = False
    critical = False

    def __init__(self, used_percent: Callable[[], float], limits: Limits) -> None:
        self._used = used_percent
        self._limits = limits

    def look(self) -> Finding:
        """Return the memory in use."""
        return _share("memory", self._used(), self._limits().memory_percent)


class CpuCheck:
    """DEGRADED when the machine's processors are too busy.

    Parameters
    ----------
    used_percent : callable
        Processor time in use lately, percent of all processors.
    limits : callable
        Limits in force.
    """

    name = "cpu"
    beats = False
    critical = False

    def __init__(self, used_percent: Callable[[], float], limits: Limits) -> None:
        self._used = used_percent
        self._limits = limits

    def look(self) -> Finding:
        """Return the processor time in use."""
        return _share("processor", self._used(), self._limits().cpu_percent)


def _share(subject: str, used: float, allowed: float) -> Finding:
    """Return the finding on a share in use."""
    if used > allowed:
        return Finding(
            grade=Grade.DEGRADED,
            value=f"{used:.0f} % in use",
            limit=f"{allowed:g} %",
            action="an alert is sent",
            next_step=f"find the program that takes the {subject}: systemd-cgtop",
        )
    return Finding(grade=Grade.OK, value=f"{used:.0f} % in use", limit=f"{allowed:g} %")


class DiskCheck:
    """DEGRADED when the state folder's disk has too little space left.

    Not FAILED: a full disk fails the journal, and that check stops the beat.

    Parameters
    ----------
    space : callable
        Space of the disk that holds the journal.
    limits : callable
        Limits in force.
    """

    name = "disk"
    beats = False
    critical = False

    def __init__(self, space: Callable[[], DiskSpace], limits: Limits) -> None:
        self._space = space
        self._limits = limits

    def look(self) -> Finding:
        """Return the space left."""
        limits, space = self._limits(), self._space()
        limit = f"{limits.disk_free_percent:g} % and {limits.disk_free_gb:g} GB free"
        value = f"{space.free_percent:.0f} % free, {space.free_gb:.1f} GB"
        scarce = (
            space.free_percent < limits.disk_free_percent or space.free_gb < limits.disk_free_gb
        )
        if scarce:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="free space: the journal must be able to write, or trading stops",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)


class ClockCheck:
    """DEGRADED when the clock is too far off, or nothing says that it is right.

    Parameters
    ----------
    state : callable
        What the kernel knows.
    limits : callable
        Limits in force.
    """

    name = "clock"
    beats = False
    critical = False

    def __init__(self, state: Callable[[], ClockState], limits: Limits) -> None:
        self._state = state
        self._limits = limits

    def look(self) -> Finding:
        """Return the clock's offset."""
        allowed, state = self._limits().clock_drift_ms, self._state()
        limit = f"within {allowed:g} ms"
        if not state.synchronised:
            return Finding(
                grade=Grade.DEGRADED,
                value=f"unknown: {state.why}",
                limit=limit,
                action="an alert is sent",
                next_step="run a time service: timedatectl timesync-status, chronyc tracking",
            )
        if state.offset_ms is None:
            return Finding(grade=Grade.OK, value=f"synchronised ({state.why})", limit=limit)
        value = f"{state.offset_ms:+.1f} ms"
        if abs(state.offset_ms) > allowed:
            return Finding(
                grade=Grade.DEGRADED,
                value=value,
                limit=limit,
                action="an alert is sent",
                next_step="check the time service: timedatectl timesync-status, chronyc tracking",
            )
        return Finding(grade=Grade.OK, value=value, limit=limit)
