"""The clock a live strategy sees: session time, so that a replayed day runs as a live one.

The engine's own clock is the wall's; in a replay its timers would fire years late or at once.
"""

import datetime as dt
from collections.abc import Callable

from nautilus_trader.common import TimeEvent
from nautilus_trader.core import UUID4

from tradingd.domain.market import NANOSECONDS
from tradingd.engine.clock import Guard
from tradingd.engine.live.present import Present
from tradingd.session.clock import Timer

type Callback = Callable[[TimeEvent], object]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class LiveClock:
    """Timers of one strategy on session time; callbacks are guarded.

    Parameters
    ----------
    present : Present
        Session time.
    guard : Callable
        Wraps (callback, name) so that an exception is captured.
    default : Callable
        Hears timers without a callback of their own (`on_time_event`).
    """

    def __init__(self, present: Present, guard: Guard, default: Callback) -> None:
        self._present = present
        self._guard = guard
        self._default = default
        self._timers: dict[str, Timer] = {}

    # -- time ------------------------------------------------------------------------------------

    def timestamp_ns(self) -> int:
        """Return session time, UTC ns."""
        return self._present.now()

    def timestamp_us(self) -> int:
        """Return session time in microseconds."""
        return self._present.now() // 1_000

    def timestamp_ms(self) -> int:
        """Return session time in milliseconds."""
        return self._present.now() // 1_000_000

    def timestamp(self) -> float:
        """Return session time in seconds."""
        return self._present.now() / NANOSECONDS

    def utc_now(self) -> dt.datetime:
        """Return session time, to the microsecond."""
        return _EPOCH + dt.timedelta(microseconds=self._present.now() // 1_000)

    # -- timers ----------------------------------------------------------------------------------

    def timer_names(self) -> list[str]:
        """Return the names of timers that will fire."""
        return list(self._timers)

    def timer_count(self) -> int:
        """Return how many timers will fire."""
        return len(self._timers)

    def next_time_ns(self, name: str) -> int | None:
        """Return when a timer fires next."""
        timer = self._timers.get(name)
        return None if timer is None else timer.ts

    def register_default_handler(self, callback: Callback) -> None:
        """Register the handler of timers without a callback of their own."""
        self._default = callback

    def cancel_timer(self, name: str) -> None:
        """Forget a timer."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def cancel_timers(self) -> None:
        """Forget every timer."""
        for name in self.timer_names():
            self.cancel_timer(name)

    def set_time_alert(
        self,
        name: str,
        alert_time: dt.datetime,
        callback: Callback | None = None,
        allow_past: bool | None = None,
    ) -> None:
        """Set a one-off timer."""
        self.set_time_alert_ns(name, _ns(alert_time), callback, allow_past)

    def set_time_alert_ns(
        self,
        name: str,
        alert_time_ns: int,
        callback: Callback | None = None,
        allow_past: bool | None = None,
    ) -> None:
        """Set a one-off timer in UTC nanoseconds; one that is past fires at once."""
        del allow_past
        self._arm(name, alert_time_ns, self._wrapped(name, callback), None, None)

    def set_timer(
        self,
        name: str,
        interval: dt.timedelta,
        start_time: dt.datetime | None = None,
        stop_time: dt.datetime | None = None,
        callback: Callback | None = None,
        allow_past: bool | None = None,
        fire_immediately: bool | None = None,
    ) -> None:
        """Set a repeating timer."""
        self.set_timer_ns(
            name,
            interval // dt.timedelta(microseconds=1) * 1_000,
            None if start_time is None else _ns(start_time),
            None if stop_time is None else _ns(stop_time),
            callback,
            allow_past,
            fire_immediately,
        )

    def set_timer_ns(
        self,
        name: str,
        interval_ns: int,
        start_time_ns: int | None = None,
        stop_time_ns: int | None = None,
        callback: Callback | None = None,
        allow_past: bool | None = None,
        fire_immediately: bool | None = None,
    ) -> None:
        """Set a repeating timer in nanoseconds; the first tick is one interval after its start."""
        del allow_past
        if interval_ns <= 0:
            raise ValueError(f"the interval of timer {name!r} must be positive: {interval_ns}")
        start = self._present.now() if start_time_ns is None else start_time_ns
        first = start if fire_immediately else start + interval_ns
        self._arm(name, first, self._wrapped(name, callback), interval_ns, stop_time_ns)

    # -- private ---------------------------------------------------------------------------------

    def _wrapped(self, name: str, callback: Callback | None) -> Callable[..., None]:
        if callback is None:
            return self._guard(lambda event: self._default(event), f"timer {name}")
        return self._guard(callback, f"timer {name}")

    def _arm(
        self,
        name: str,
        ts: int,
        callback: Callable[..., None],
        interval: int | None,
        stop: int | None,
    ) -> None:
        self.cancel_timer(name)
        if stop is not None and ts > stop:
            return

        def fire() -> None:
            self._timers.pop(name, None)
            if interval is not None:
                # Ticks that a stalled loop missed are left out, not caught up in a burst.
                late = max(0, self._present.clock.now() - ts) // interval
                self._arm(name, ts + (late + 1) * interval, callback, interval, stop)
            callback(TimeEvent(name, UUID4(), ts, self._present.now()))

        self._timers[name] = self._present.clock.call_at(ts, name, fire)


def _ns(moment: dt.datetime) -> int:
    """Return UTC nanoseconds; a time without a zone is UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return (aware - _EPOCH) // dt.timedelta(microseconds=1) * 1_000
