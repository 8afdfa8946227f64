"""The engine's clock with guarded timer callbacks."""

from collections.abc import Callable
from typing import Any

type Guard = Callable[[Callable[..., Any], str], Callable[..., None]]


class GuardedClock:
    """Passes everything to the engine's clock; wraps callbacks given to timers.

    Parameters
    ----------
    clock : Any
        The engine's clock.
    guard : Callable
        Wraps (callback, name) so that an exception ends the run.
    """

    def __init__(self, clock: Any, guard: Guard) -> None:
        self._clock = clock
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def register_default_handler(self, callback: Callable[..., Any]) -> None:
        """Register the handler of timers without a callback of their own."""
        self._clock.register_default_handler(self._guard(callback, "timer"))

    def set_time_alert(
        self, name: str, alert_time: Any, callback: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Set a one-off timer."""
        self._clock.set_time_alert(name, alert_time, self._wrap(name, callback), *args, **kwargs)

    def set_time_alert_ns(
        self, name: str, alert_time_ns: int, callback: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Set a one-off timer in UTC nanoseconds."""
        self._clock.set_time_alert_ns(
            name, alert_time_ns, self._wrap(name, callback), *args, **kwargs
        )

    def set_timer(self, name: str, interval: Any, *args: Any, **kwargs: Any) -> None:
        """Set a repeating timer."""
        self._clock.set_timer(name, interval, *self._timer(name, args), **self._named(name, kwargs))

    def set_timer_ns(self, name: str, interval_ns: int, *args: Any, **kwargs: Any) -> None:
        """Set a repeating timer in nanoseconds."""
        self._clock.set_timer_ns(
            name, interval_ns, *self._timer(name, args), **self._named(name, kwargs)
        )

    def set_timer_zoned(
        self, name: str, interval: str, start_time: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Set a repeating timer in a time zone."""
        named = self._named(name, kwargs)
        rest = [*args[:1], *(self._wrap(name, callback) for callback in args[1:2]), *args[2:]]
        self._clock.set_timer_zoned(name, interval, start_time, *rest, **named)

    def _timer(self, name: str, args: tuple[Any, ...]) -> list[Any]:
        """Wrap the third positional argument after the interval: (start, stop, callback, ...)."""
        return [*args[:2], *(self._wrap(name, callback) for callback in args[2:3]), *args[3:]]

    def _named(self, name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        if kwargs.get("callback") is None:
            return kwargs
        return {**kwargs, "callback": self._wrap(name, kwargs["callback"])}

    def _wrap(self, name: str, callback: Any) -> Any:
        return None if callback is None else self._guard(callback, f"timer {name}")
