"""Beat for systemd's watchdog, but only on proof of progress.

A loop that turns is no proof: a strategy may block on the engine's thread while the loop goes on.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from tradingd.daemon.health import HealthMonitor
from tradingd.daemon.stacks import task_stacks
from tradingd.kits.notify_socket import Notifier

log = logging.getLogger(__name__)

SLOWEST: Final = 1.0
"""Seconds between looks: the limits of the checks and of the kill switch count in seconds."""


class Heartbeat:
    """Evaluates the checks every `period` seconds, and beats when no beating check has failed.

    Parameters
    ----------
    monitor : HealthMonitor
        Evaluated at every look.
    notifier : Notifier
        Where the beat goes; its watchdog's period sets the pace (a third of it, at most 1 s).
    after : callable
        Called after every look with whether it would have beaten: kill switch, metrics, status.
    """

    def __init__(
        self,
        monitor: HealthMonitor,
        notifier: Notifier,
        *,
        after: Callable[[bool], None] = lambda live: None,
    ) -> None:
        self._monitor = monitor
        self._notifier = notifier
        self._after = after
        self._watched = False
        self._withheld = ""
        watchdog = notifier.watchdog_period
        self.period = min(watchdog / 3, SLOWEST) if watchdog else SLOWEST

    def watch(self) -> None:
        """Begin to beat; call it when READY has been told, never before."""
        self._watched = True

    def look(self) -> bool:
        """Evaluate once and beat if there is progress; return whether there is."""
        self._monitor.evaluate()
        live = self._monitor.live
        if not live:
            self._withhold()
        elif self._watched:
            self._notifier.watchdog()
        if live and self._withheld:
            log.warning("progress again; the beat goes on")
            self._withheld = ""
        self._after(live)
        return live

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(self.period)

    def _withhold(self) -> None:
        """Say once why, with every task's stack: the watchdog's own dump shows threads only."""
        failed = self._monitor.standstill
        names = ", ".join(one.name for one in failed)
        if names == self._withheld or not self._watched:
            return
        self._withheld = names
        for one in failed:
            log.error("the watchdog's beat is withheld: %s: %s", one.name, one.value)
        log.error("tasks:\n%s", _tasks())


def _tasks() -> str:
    try:
        return task_stacks()
    except RuntimeError:
        return "no event loop"
