"""Stop step by step: every step runs, whatever became of the one before, each in bounded time."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tradingd.daemon.bounded import trouble_of
from tradingd.daemon.checks.check import Seconds

log = logging.getLogger(__name__)


class StopStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the stop: what a person reads in STATUS, what it does, the seconds it may take.

    What `run` returns, if it is text, is a trouble that did not stop the step: ``2 orders left``.
    """

    name: str
    run: Callable[[], Awaitable[object]]
    seconds: float = 10.0


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended; `trouble` is empty when it went well."""

    name: str
    seconds: float
    trouble: str = ""


class StopReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the stop went."""

    steps: tuple[StepEnd, ...]

    @property
    def clean(self) -> bool:
        """Whether every step went well."""
        return not self.troubles

    @property
    def troubles(self) -> tuple[str, ...]:
        """What did not go well, one sentence each."""
        return tuple(f"{one.name}: {one.trouble}" for one in self.steps if one.trouble)


async def shut_down(
    steps: Sequence[StopStep], *, progress: Callable[[str, float], None], seconds: Seconds
) -> StopReport:
    """Run every step in order and report.

    Parameters
    ----------
    steps : sequence of StopStep
        Stop new signals, cancel and wait, close positions, flush, disconnect.
    progress : callable
        Hears ``2/6 cancel open orders`` before each step, and the seconds that step may take, so
        that systemd can be asked for them.
    seconds : callable
        A monotonic clock.
    """
    ends = []
    for number, step in enumerate(steps, 1):
        progress(f"{number}/{len(steps)} {step.name}", step.seconds)
        began = seconds()
        trouble = await trouble_of(step.run, step.seconds)
        if trouble:
            log.error("stop step %r: %s", step.name, trouble)
        ends.append(StepEnd(name=step.name, seconds=seconds() - began, trouble=trouble))
    return StopReport(steps=tuple(ends))
