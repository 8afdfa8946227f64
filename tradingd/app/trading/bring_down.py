"""The stop of a session, step by step; each step is also what takes back a start."""

import asyncio
import contextlib
import gc
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from tradingd.app.trading import brokers, parts
from tradingd.daemon.shutdown import StopReport, StopStep, shut_down
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.states import Scope
from tradingd.kits.failure import ExitCode

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

log = logging.getLogger(__name__)


_GRACE = 5.0


class BringDown:
    """Ends the parts, each in bounded time, whatever became of the one before.

    Parameters
    ----------
    session : TradingSession
        Whose parts these are.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._one = session

    async def stop(self) -> StopReport:
        """Stop in order: no new signals, cancels confirmed, positions as configured, flushed."""
        self._one.phase = "STOPPING"
        self._one.notifier.stopping(f"stopping: {self._one.why}")
        grace = self._one.config.supervision.stop_grace_seconds
        steps = [
            StopStep(name="stop new signals", run=self._stop_signals),
            # Longer than the shim waits by itself, so that it can say which orders are left.
            StopStep(name="cancel open orders", run=self.cancel_orders, seconds=grace + _GRACE),
        ]
        steps.append(StopStep(name="see that stops work", run=self._protected, seconds=2 * _GRACE))
        if self._one.mode.close_on_stop:
            steps.append(
                StopStep(
                    name="close positions", run=self._close_positions, seconds=2 * grace + _GRACE
                )
            )
        steps += [
            StopStep(name="stop the engine", run=self.stop_engine, seconds=15.0),
            StopStep(name="stop the jobs", run=self._stop_jobs),
            StopStep(name="publish the order books", run=self._publish_books, seconds=60.0),
            StopStep(name="write the predictions", run=self._write_predictions, seconds=35.0),
            StopStep(name="write the end", run=self._write_end),
            StopStep(name="stop supervision", run=self.stop_tasks),
            StopStep(name="stop the order shim", run=self._stop_shim),
            StopStep(name="disconnect", run=self.disconnect),
            StopStep(name="close the feed", run=self.close_feed),
            StopStep(name="stop serving", run=self._one.front.stop_serving),
            StopStep(name="send the last alerts", run=self.stop_alerts, seconds=_GRACE + 1),
            StopStep(name="close the journal", run=self.close_journal, seconds=15.0),
            StopStep(name="release the instance", run=self.release),
        ]
        report = await shut_down(steps, progress=self._stopping, seconds=time.monotonic)
        gc.unfreeze()
        if not report.clean and self._one.ended_with is ExitCode.OK:
            self._one.ended_with = ExitCode.UNCLEAN_STOP
        return report

    def _stopping(self, text: str, seconds: float) -> None:
        log.info("stop %s", text)
        self._one.notifier.extend(seconds + _GRACE)
        self._one.notifier.status(f"stopping: {text}")

    async def _stop_signals(self) -> None:
        self._one.engine.work_no_more()
        for task in asyncio.all_tasks():
            if task.get_name() == "feed" and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def cancel_orders(self) -> str:
        """Cancel what is open but protection; return which orders are not confirmed."""
        await self._one.shim.cancel_all(Scope(), reason=f"stop: {self._one.why}", author="daemon")
        left = self._one.shim.unconfirmed
        return f"{len(left)} orders not confirmed: {', '.join(left)}" if left else ""

    async def _protected(self) -> str:
        """Wait for the stops that are on their way: what is held stays guarded without us."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _GRACE
        while self._one.shim.unprotected() and loop.time() < end:  # noqa: ASYNC110 - for a moment
            await asyncio.sleep(0.05)
        left = self._one.shim.unprotected()
        return f"no working stop: {', '.join(left)}" if left else ""

    async def _close_positions(self) -> str:
        flat = await self._one.shim.flatten(Scope(), reason="close_on_stop", author="daemon")
        return "" if flat else "positions are not proven flat"

    async def stop_engine(self) -> None:
        """Let the strategies end and stop the node."""
        await self._one.engine.stop()

    async def _stop_jobs(self) -> str:
        late = await self._one.scheduler.stop(grace=_GRACE)
        return f"jobs cut short: {', '.join(late)}" if late else ""

    async def _publish_books(self) -> None:
        await self._one.recording.stop()

    async def _write_predictions(self) -> str:
        return "" if self._one.serving is None else await self._one.serving.close()

    async def _write_end(self) -> None:
        self._one.shim.save_book()
        row = parts.run_row(self._one.identity, self._one.loaded, self._one.feed.label)
        ended = msgspec.structs.replace(row, ended=self._one.wall(), outcome=self._one.why)
        await self._one.journal.write(ended, self._one.audit_row("stop", self._one.why))

    async def stop_tasks(self) -> None:
        """End supervision and whatever else runs."""
        await self._one.tasks.stop(grace=1.0)

    async def _stop_shim(self) -> None:
        await self._one.shim.stop()

    async def disconnect(self) -> None:
        """Leave the broker, and the account to others; end a broker that we launched."""
        if hasattr(self._one, "broker"):
            if self._one.simulated is not None and brokers.owns_broker(self._one.state):
                # Its store stays, and the next start launches it again.
                with contextlib.suppress(BrokerUnavailable):
                    await self._one.simulated.shut_down()
                brokers.disown_broker(self._one.state)
            await self._one.broker.close()
        if hasattr(self._one, "account_lock"):
            self._one.account_lock.release()

    async def close_feed(self) -> None:
        """Let go of the bars."""
        # A feed that was refused before it was made leaves nothing to close.
        if "feed" in vars(self._one):
            await self._one.feed.close()

    async def stop_alerts(self) -> None:
        """Send what still waits, for a while."""
        await asyncio.to_thread(self._one.alerts.close, _GRACE)

    async def close_journal(self) -> None:
        """Commit what waits and close the file."""
        await asyncio.to_thread(self._one.journal.close)

    async def release(self) -> None:
        """Let another process take the instance."""
        self._one.instance_lock.release()
