"""Order books recorded beside the trading: it may fail and begin anew, trading goes on."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

from tradingd.config.depth import NoDepth
from tradingd.config.paths import level2_root
from tradingd.config.secrets import Secret
from tradingd.config.system import SystemConfig
from tradingd.control.answers import BookView
from tradingd.control.answers import Recording as RecordingAnswer
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.kits.backoff import jittered
from tradingd.kits.failure import ExitCode, Failure
from tradingd.recorder.recorder import Recorder
from tradingd.recorder.view import RecorderView

log = logging.getLogger(__name__)

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_WELL: Final = 120.0
"""Seconds of recording after which a failure counts as the first again."""


class Totals(NamedTuple):
    """What all recorders of a session did: records, snapshots, and what could not be kept."""

    events: int = 0
    rows: int = 0
    lost: int = 0


type State = Literal["off", "starting", "recording", "failed", "over"]


class Recording:
    """Keeps a recorder going for as long as the session lasts.

    Whatever it fails with is told, counted and tried again: trading does not need it.

    Parameters
    ----------
    config : SystemConfig
        Groups record, depth and store.
    make : Callable
        Builds the recorder; asked again after a failure.
    emit : Callable
        Takes alerts.
    waits : tuple of float
        Seconds before the first try again, and the longest.
    """

    def __init__(
        self,
        config: SystemConfig,
        make: Callable[[], Recorder],
        *,
        emit: Emit,
        waits: tuple[float, float] = (_FIRST_WAIT, _LONGEST_WAIT),
    ) -> None:
        self.state: State = "off"
        self.why = "" if config.record.enabled else "record.enabled is false"
        self.failures = 0
        """Recorders that failed since the start."""
        self._enabled = config.record.enabled
        self._make = make
        self._emit = emit
        self._waits = waits
        self._recorder: Recorder | None = None
        self._starting: Recorder | None = None
        self._before = Totals()
        self._asked: dict[str, bool] = {}
        self._ending = asyncio.Event()

    def view(self) -> RecorderView | None:
        """Return what the recorder is doing; None while there is none."""
        return None if self._recorder is None else self._recorder.view()

    def lost(self) -> int:
        """Return how many records, rows and messages could not be kept, of all recorders so far."""
        return self.totals().lost

    def totals(self) -> Totals:
        """Return the counts of all recorders so far: they rise over a failure, too."""
        view, before = self.view(), self._before
        if view is None:
            return before
        dropped = view.dropped_feed + view.dropped_rows + view.dropped_messages
        return Totals(before.events + view.events, before.rows + view.rows, before.lost + dropped)

    async def run(self) -> None:
        """Record until the feed is over or `stop`; what fails is told and tried again."""
        if not self._enabled:
            return
        loop = asyncio.get_running_loop()
        tries = 0
        while not self._ending.is_set():
            self.state = "starting"
            began = loop.time()
            try:
                await self._once()
            except Exception as error:  # noqa: BLE001 - it must never be the end of trading
                self._failed(error)
                tries = 0 if loop.time() - began > _WELL else tries
                await self._wait(tries)
                tries += 1
            else:
                self.state = "over"
                return

    async def stop(self) -> None:
        """End in order: what was recorded is published."""
        self._ending.set()
        recorder = self._recorder or self._starting
        if recorder is not None:
            await recorder.stop()
            self.state = "over"

    async def ask(self, symbol: str, record: bool) -> str:
        """Begin or end the recording of one symbol; return what came of it, in words.

        Raises
        ------
        Failure
            REFUSED when nothing is recorded at all.
        """
        if self._recorder is None or self.state != "recording":
            raise Failure(
                "no order books are recorded",
                code=ExitCode.REFUSED,
                where="record",
                expected="a recorder that runs",
                found=f"{self.state}: {self.why}" if self.why else self.state,
                next_step="set record.enabled and depth in the configuration, and restart",
            )
        if record:
            place = self._recorder.ask(symbol)
            self._asked[symbol] = True
            return f"{symbol}: {place.lower()}"
        await self._recorder.release(symbol)
        self._asked[symbol] = False
        return f"{symbol}: stopped"

    async def _once(self) -> None:
        recorder = self._starting = self._make()
        try:
            await recorder.start()
            if self._ending.is_set():
                return
            self._recorder, self.state = recorder, "recording"
            if self.why:
                self._emit(_alert(f"records {recorder.view().label}", resolved=True))
            self.why = ""
            await self._ask_again(recorder)
            await recorder.run()
        except BaseException:
            # A recorder that failed neither takes symbols nor counts any more.
            self._before, self._recorder = self.totals(), None
            raise
        finally:
            # Also when it failed: what was recorded so far is published.
            await _stopped(recorder)
            self._starting = None

    async def _ask_again(self, recorder: Recorder) -> None:
        """Follow what a person asked of the recorders before this one."""
        for symbol, record in self._asked.items():
            if record:
                recorder.ask(symbol)
            else:
                await recorder.release(symbol)

    async def _wait(self, tries: int) -> None:
        first, longest = self._waits
        with suppress(TimeoutError):
            async with asyncio.timeout(jittered(tries, first=first, longest=longest)):
                await self._ending.wait()

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.state = "failed"
        if isinstance(error, Failure):
            self.why = error.line()
            log.warning("order books are not recorded: %s", self.why)
        else:
            self.why = f"unexpected error: {error!r}"
            log.error("order books are not recorded", exc_info=error)
        self._emit(_alert(f"{self.why} (failure {self.failures})", resolved=False))


async def _stopped(recorder: Recorder) -> None:
    """Stop a recorder; what it failed with before counts for more than how its stop went."""
    try:
        await recorder.stop()
    except Failure as failure:
        log.warning("order books: %s", failure.line())
    except Exception:
        log.exception("order books: the recorder could not be stopped in order")


def session_recording(
    config: SystemConfig,
    *,
    secret: Callable[[str], Secret],
    wall: Callable[[], int],
    emit: Emit,
) -> Recording:
    """Return the recording of a trading session; nothing is touched before `run`.

    Raises
    ------
    Failure
        CONFIG when books are to be recorded and there is no source of them.
    """
    if config.record.enabled and isinstance(config.depth, NoDepth):
        raise Failure(
            "order books are to be recorded, and there is no source of them",
            code=ExitCode.CONFIG,
            where="record.enabled, depth",
            expected="depth=databento, depth=ibkr or depth=replay",
            found="depth=none",
        )

    def make() -> Recorder:
        from tradingd.app.depth_feeds import make_depth_feed

        root: Path = level2_root(config)
        feed = make_depth_feed(config.depth, wall=wall, secret=secret)
        return Recorder(config.record, feed, root, wall=wall, emit=emit, linger=True)

    return Recording(config, make, emit=emit)


def answer(recording: Recording, *, instance: str, mode: str, synthetic: bool) -> RecordingAnswer:
    """Return the control socket's picture of it."""
    view, totals = recording.view(), recording.totals()
    return RecordingAnswer(
        instance=instance,
        mode=mode,
        synthetic=synthetic,
        state=recording.state,
        why=recording.why,
        source=view.label if view else "",
        slots=view.slots if view else 0,
        books=tuple(
            BookView(
                symbol=one.symbol,
                events=one.events,
                rows=one.rows,
                gaps=one.gaps,
                last_ts=one.last_ts,
                trouble=one.trouble,
            )
            for one in (view.recording if view else ())
        ),
        queue=view.queue if view else (),
        refused=view.refused if view else {},
        events=totals.events,
        rows=totals.rows,
        dropped=totals.lost,
        flushed_seconds=view.flushed_ago if view and view.flushed_ago >= 0 else None,
    )


def _alert(text: str, *, resolved: bool) -> Alert:
    return Alert(
        key="recording",
        severity=Severity.WARN,
        title="order books are recorded again" if resolved else "order books are not recorded",
        body=text,
        resolved=resolved,
    )
