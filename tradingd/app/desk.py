"""A scan and a recorder side by side: what the full screen shows and what its keys do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tradingd.app.depth_feeds import make_depth_feed
from tradingd.app.scan import ScanRun
from tradingd.config.depth import NoDepth
from tradingd.config.paths import level2_root
from tradingd.config.secrets import Secret, resolve
from tradingd.config.system import SystemConfig
from tradingd.domain.alerts import Alert
from tradingd.kits.failure import Failure
from tradingd.recorder.recorder import Recorder
from tradingd.recorder.view import RecorderView

_ALERTS = 50


class Desk:
    """Runs both; constructing one touches nothing.

    Parameters
    ----------
    config : SystemConfig
        Groups feed, universe, scan, depth, record and store.
    secret : Callable
        Resolves a reference of a secret.
    """

    def __init__(self, config: SystemConfig, secret: Callable[[str], Secret] = resolve) -> None:
        self.scan = ScanRun(config, secret)
        self.troubles: list[str] = []
        self._recorder: Recorder | None = None
        self._tasks: list[asyncio.Task[None]] = []
        if not isinstance(config.depth, NoDepth):
            feed = make_depth_feed(config.depth, secret=secret)
            root = level2_root(config)
            self._recorder = Recorder(
                config.record, feed, root, wall=time.time_ns, emit=self._alert, linger=True
            )

    @property
    def records(self) -> bool:
        """Whether order books can be recorded."""
        return self._recorder is not None

    def view(self) -> RecorderView | None:
        """Return what the recorder is doing; None without one."""
        return None if self._recorder is None else self._recorder.view()

    def record(self, symbol: str) -> str:
        """Ask for a symbol's book; return what came of it, in words."""
        if self._recorder is None:
            return "no order books: start with depth=replay, depth=databento or depth=ibkr"
        return f"{symbol}: {self._recorder.ask(symbol).lower()}"

    async def release(self, symbol: str) -> str:
        """Stop recording a symbol, or take it out of the line."""
        if self._recorder is None:
            return "nothing is recorded"
        await self._recorder.release(symbol)
        return f"{symbol}: stopped"

    async def start(self) -> None:
        """Open both feeds and follow them; what fails later is told in `troubles`.

        Raises
        ------
        Failure
            Of the first feed that cannot be opened.
        """
        await self.scan.open()
        self._follow("scan", self.scan.run())
        if self._recorder is not None:
            await self._recorder.start()
            self._follow("recorder", self._recorder.run())

    async def stop(self) -> None:
        """End both in order: what was recorded is published."""
        for task in self._tasks:
            if task.get_name() == "scan":
                task.cancel()
        if self._recorder is not None:
            await self._recorder.stop()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.scan.close()

    def _follow(self, name: str, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.create_task(self._told(name, work), name=name))

    async def _told(self, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Failure as failure:
            self._trouble(f"{name}: {failure.line()}")

    def _alert(self, alert: Alert) -> None:
        self._trouble(f"{alert.title}: {alert.body}" if alert.body else alert.title)

    def _trouble(self, text: str) -> None:
        self.troubles = [*self.troubles, text][-_ALERTS:]
