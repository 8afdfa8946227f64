"""Start step by step: a failure names its step and takes back what was done, last first."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tradingd.daemon.bounded import trouble_of
from tradingd.daemon.checks.check import Seconds
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.refused import refused

log = logging.getLogger(__name__)

type Deed = Callable[[], Awaitable[object]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the start.

    Parameters
    ----------
    name : str
        What it does, as a person reads it in STATUS: "connect to the broker".
    run : callable
        Does it.
    undo : callable, optional
        Takes it back; also called when `run` failed half-way, so it must bear that.
    """

    name: str
    run: Deed
    undo: Deed | None = None


class Timing(msgspec.Struct, frozen=True):
    """A step that is done, and the seconds it took."""

    step: str
    seconds: float


class Startup:
    """Runs steps in order.

    Parameters
    ----------
    steps : sequence of Step
        In the order they depend on each other.
    progress : callable
        Hears ``3/9 connect to the broker`` before each step.
    seconds : callable
        A monotonic clock.
    undo_seconds : float
        What one undo may take; a longer one is left behind.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        progress: Callable[[str], None],
        seconds: Seconds,
        undo_seconds: float = 10.0,
    ) -> None:
        self._steps = tuple(steps)
        self._progress = progress
        self._seconds = seconds
        self._undo_seconds = undo_seconds

    async def run(self) -> tuple[Timing, ...]:
        """Run every step; return how long each took.

        Raises
        ------
        Failure
            With the code of the step's own Failure, else BUG; nothing is left half-open.
        asyncio.CancelledError
            When the start was called off; nothing is left half-open then either.
        """
        timings: list[Timing] = []
        for number, step in enumerate(self._steps):
            label = f"{number + 1}/{len(self._steps)} {step.name}"
            self._progress(label)
            began = self._seconds()
            try:
                await step.run()
            except BaseException as error:
                if not isinstance(error, Exception):
                    log.info("start-up called off at step %s", label)
                    await self._roll_back(number)
                    raise
                log.error("start-up failed at step %s", label)
                await self._roll_back(number)
                raise _named(step, error) from error
            timings.append(Timing(step.name, self._seconds() - began))
            log.info("start-up step %s took %.3f s", label, timings[-1].seconds)
        return tuple(timings)

    async def _roll_back(self, failed: int) -> None:
        """Undo the steps up to the failed one, the last first, whatever each undo does."""
        for step in reversed(self._steps[: failed + 1]):
            if step.undo is None:
                continue
            if trouble := await trouble_of(step.undo, self._undo_seconds):
                log.error("step %r could not be taken back: %s", step.name, trouble)


def _named(step: Step, error: Exception) -> Failure:
    """Return the error as a Failure that names the step."""
    if isinstance(error, OSError) and (mendable := refused(error)):
        error = mendable
    if isinstance(error, Failure):
        return Failure(
            f"start-up failed at '{step.name}': {error.what}",
            code=error.code,
            where=error.where,
            expected=error.expected,
            found=error.found,
            next_step=error.next_step,
        )
    return Failure(
        f"start-up failed at '{step.name}'",
        code=ExitCode.BUG,
        found=repr(error),
        next_step="this is a bug: report it with the log",
    )
