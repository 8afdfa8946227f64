"""A scan and a recorder side by side: what the full screen shows and what its keys do."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

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

log = logging.getLogger(__name__)

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
        self.fault: Exception | None = None
        """What ended the scan or the recorder before its time: the first such error."""
        self._recorder: Recorder | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._started = self._stopping = False
        self._last: RecorderView | None = None
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
        """Return what the recorder is doing, or was when it stopped; None without one."""
        if self._recorder is None or self._last is not None:
            return self._last
        return self._recorder.view()

    def record(self, symbol: str) -> str:
        """Ask for a symbol's book; return what came of it, in words."""
        if self._recorder is None:
            return "no order books: start with depth=replay, depth=databento or depth=ibkr"
        try:
            return f"{symbol}: {self._recorder.ask(symbol).lower()}"
        except Failure as failure:
            return failure.line()

    async def release(self, symbol: str) -> str:
        """Stop recording a symbol, or take it out of the line; return what came of it."""
        if self._recorder is None:
            return "nothing is recorded"
        view = self._recorder.view()
        if symbol not in {*view.queue, *(one.symbol for one in view.recording)}:
            return f"{symbol}: is not recorded"
        try:
            await self._recorder.release(symbol)
        except Failure as failure:
            return failure.line()
        return f"{symbol}: stopped"

    async def start(self) -> None:
        """Open both feeds and follow them; what fails later is told in `troubles` and `fault`.

        Raises
        ------
        Failure
            Of the first feed that cannot be opened.
        """
        await self.scan.open()
        self._follow("scan", self.scan.run())
        if self._recorder is not None:
            await self._recorder.start()
            self._started = True
            self._follow("recorder", self._recorder.run())

    async def stop(self) -> None:
        """End both in order: what was recorded is published; again: nothing.

        Raises
        ------
        Failure
            STORE_WRITE: the disk did not take the rest.
        """
        if self._stopping:
            return
        self._stopping = True
        try:
            if self._recorder is not None and self._started:
                try:
                    await self._recorder.stop()
                finally:
                    self._last = self._recorder.view()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.scan.close()

    def _follow(self, name: str, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.create_task(self._told(name, work), name=name))

    async def _told(self, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Failure as failure:
            self._failed(failure, f"{name}: {failure.line()}")
        except Exception as error:
            log.exception("the %s failed", name)
            self._failed(error, f"{name}: a bug ended it: {error!r}")
        else:
            if not self._stopping:
                self._trouble(f"{name}: the feed has ended")

    def _failed(self, error: Exception, text: str) -> None:
        self.fault = self.fault or error
        self._trouble(text)

    def _alert(self, alert: Alert) -> None:
        self._trouble(f"{alert.title}: {alert.body}" if alert.body else alert.title)

    def _trouble(self, text: str) -> None:
        self.troubles = [*self.troubles, text][-_ALERTS:]
