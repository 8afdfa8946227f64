"""Order books recorded beside the trading: it may fail and begin anew, trading goes on."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

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

type State = Literal["off", "starting", "recording", "failed", "over"]


class Recording:
    """Keeps a recorder going for as long as the session lasts.

    Parameters
    ----------
    config : SystemConfig
        Groups record, depth and store.
    make : Callable
        Builds the recorder; asked again after a failure.
    emit : Callable
        Takes alerts.
    """

    def __init__(self, config: SystemConfig, make: Callable[[], Recorder], *, emit: Emit) -> None:
        self.state: State = "off"
        self.why = "" if config.record.enabled else "record.enabled is false"
        self._enabled = config.record.enabled
        self._make = make
        self._emit = emit
        self._recorder: Recorder | None = None
        self._ending = False

    def view(self) -> RecorderView | None:
        """Return what the recorder is doing; None while there is none."""
        return None if self._recorder is None else self._recorder.view()

    def lost(self) -> int:
        """Return how many records, rows and messages could not be kept."""
        view = self.view()
        return 0 if view is None else lost(view)

    async def run(self) -> None:
        """Record until the feed is over or `stop`; what fails is told and tried again."""
        if not self._enabled:
            return
        failures = 0
        while not self._ending:
            self.state = "starting"
            try:
                await self._once()
            except Failure as failure:
                self._failed(failure)
                wait = jittered(failures, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
                failures += 1
                await asyncio.sleep(wait)
            else:
                self.state = "over"
                return

    async def stop(self) -> None:
        """End in order: what was recorded is published."""
        self._ending = True
        if self._recorder is not None:
            await self._recorder.stop()
            self.state = "over"

    async def ask(self, symbol: str, record: bool) -> str:
        """Begin or end the recording of one symbol; return what came of it, in words.

        Raises
        ------
        Failure
            REFUSED when nothing is recorded at all.
        """
        if self._recorder is None:
            raise Failure(
                "no order books are recorded",
                code=ExitCode.REFUSED,
                where="record",
                expected="a recorder that runs",
                found=f"{self.state}: {self.why}" if self.why else self.state,
                next_step="set record.enabled and depth in the configuration, and restart",
            )
        if record:
            return f"{symbol}: {self._recorder.ask(symbol).lower()}"
        await self._recorder.release(symbol)
        return f"{symbol}: stopped"

    async def _once(self) -> None:
        recorder = self._make()
        try:
            await recorder.start()
            self._recorder, self.state = recorder, "recording"
            if self.why:
                self._emit(_alert(f"records {recorder.view().label}", resolved=True))
            self.why = ""
            await recorder.run()
        finally:
            # Also when it failed: what was recorded so far is published.
            with suppress(Failure):
                await recorder.stop()

    def _failed(self, failure: Failure) -> None:
        self.state, self.why = "failed", failure.line()
        log.warning("order books are not recorded: %s", self.why)
        self._emit(_alert(self.why, resolved=False))


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
    view = recording.view()
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
        events=view.events if view else 0,
        rows=view.rows if view else 0,
        dropped=lost(view) if view else 0,
        flushed_seconds=view.flushed_ago if view and view.flushed_ago >= 0 else None,
    )


def lost(view: RecorderView) -> int:
    """Return how many records, rows and messages could not be kept."""
    return view.dropped_feed + view.dropped_rows + view.dropped_messages


def _alert(text: str, *, resolved: bool) -> Alert:
    return Alert(
        key="recording",
        severity=Severity.WARN,
        title="order books are recorded again" if resolved else "order books are not recorded",
        body=text,
        resolved=resolved,
    )
