"""The first exception of a run, kept because the engine swallows what handlers raise.

NautilusTrader logs an exception of a Python handler and goes on: a strategy bug would look like a
quiet day. Every handler, timer callback and model is wrapped; the first exception is kept, all
handlers fall silent, and the run ends with it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tradingd.kits.failure import ExitCode, Failure


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One exception with the place it came from."""

    handler: str
    ts: int
    error: BaseException
    engine: bool


class Faults:
    """Keeps the first fault and tells whoever asked to know."""

    def __init__(self) -> None:
        self.first: Fault | None = None
        self._silence: list[Callable[[], None]] = []

    def on_fault(self, action: Callable[[], None]) -> None:
        """Call `action` once, when the first fault arrives."""
        self._silence.append(action)

    def record(self, handler: str, ts: int, error: BaseException, *, engine: bool = False) -> None:
        """Keep an exception if it is the first; `engine` marks our own code, not the strategy's."""
        if self.first is not None:
            return
        self.first = Fault(handler=handler, ts=ts, error=error, engine=engine)
        for action in self._silence:
            action()

    def guard[**P](
        self,
        function: Callable[P, Any],
        handler: str,
        now: Callable[[], int],
        *,
        engine: bool = False,
    ) -> Callable[P, None]:
        """Wrap a callback so that its exception is kept and nothing runs after the first."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            if self.first is not None:
                return
            try:
                function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - the engine would swallow it
                self.record(handler, now(), error, engine=engine)

        return guarded

    def raise_first(self, strategy: str, stamp: Callable[[int], str]) -> None:
        """Raise what was kept, chained to the original exception; do nothing without a fault.

        Raises
        ------
        Failure
            STRATEGY_FAILED for the strategy's own code, ENGINE_FAILED for ours.
        KeyboardInterrupt, SystemExit
            As they are: the user's wish, not a bug.
        """
        fault = self.first
        if fault is None:
            return
        if not isinstance(fault.error, Exception):
            raise fault.error
        who = "the engine" if fault.engine else f"strategy {strategy}"
        raise Failure(
            f"{who} failed in {fault.handler}: {type(fault.error).__name__}: {fault.error}",
            code=ExitCode.ENGINE_FAILED if fault.engine else ExitCode.STRATEGY_FAILED,
            where=f"{strategy}.{fault.handler} at {stamp(fault.ts)}",
            next_step="read the traceback of the cause above",
        ) from fault.error
