"""One-off timers of the engine's clock, by names that are used again.

The engine keeps the callback of every timer name for ever (about 1.3 kB each, measured on rc7), so
a name per order or per sample would make memory grow with the length of a run.
"""

from collections.abc import Callable
from typing import Any

from tradingd.engine.faults import Faults


class Alerts:
    """Calls actions at a time; an exception in one ends the run.

    Parameters
    ----------
    clock : nautilus Clock
        The engine's clock.
    faults : Faults
        Takes the first exception.
    """

    def __init__(self, clock: Any, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self.names = 0
        self._free: list[str] = []

    def set(self, label: str, ts: int, action: Callable[[], None]) -> None:
        """Call `action` at `ts`; `label` names it in a fault."""
        name = self._free.pop() if self._free else self._new_name()

        def fire(_event: Any) -> None:
            if self._faults.first is None:
                try:
                    action()
                except BaseException as error:  # noqa: BLE001 - the engine would swallow it
                    self._faults.record(label, self._clock.timestamp_ns(), error, engine=True)
            self._free.append(name)

        self._clock.set_time_alert_ns(name, ts, fire)

    def _new_name(self) -> str:
        self.names += 1
        return f"alert-{self.names}"
