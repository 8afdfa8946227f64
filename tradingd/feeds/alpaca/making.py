"""Which parts a configuration asks for: wall time or data time, minutes, hours or days."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.domain.market import Resolution
from tradingd.feeds.alpaca.pipes import DayPipe, MinutePipe, Pipe, Rows
from tradingd.feeds.alpaca.rules import DataRules, Rules, WallRules
from tradingd.session.calendar import SessionCalendar

HISTORY: Final = {"iex": "iex", "sip": "sip", "delayed_sip": "sip"}
"""Stream -> feed of its history; the test stream has none."""

_QUIET: Final = 0.1
"""Seconds of silence that close a batch in data time: a server sends one close at a go."""

_DELAYED: Final = 15 * Resolution.MINUTE.nanoseconds


def label_of(config: AlpacaConfig) -> str:
    """Return what a person must see beside every number."""
    parts = ["alpaca", config.data]
    if config.data == "test":
        parts.append("SYNTHETIC")
    return " ".join(parts) + (" (test server)" if config.endpoint else "")


def delay_of(config: AlpacaConfig) -> int:
    """Return the nanoseconds by which the stream is late."""
    return _DELAYED if config.data == "delayed_sip" else 0


def made_pipe(
    config: AlpacaConfig,
    resolution: Resolution,
    calendar: SessionCalendar,
    symbols: Sequence[str],
    *,
    after: int,
    now: int,
    extended: bool = False,
) -> Pipe:
    """Return what turns bars into batches.

    Parameters
    ----------
    after : int
        Close of the last batch, or a time inside a bar, which then becomes a whole one (UTC ns);
        0: begin now, and with a test server with its first bar.
    now : int
        Time of day, UTC ns.
    extended : bool
        Also minutes outside the regular sessions.
    """
    of_data = config.clock == "data"
    time = now - delay_of(config)
    if resolution is Resolution.DAY:
        return DayPipe(
            symbols,
            calendar,
            after=after or (0 if of_data else time),
            grace=_QUIET,
            live=not of_data,
        )
    grace = config.bar_grace_seconds
    resumed = after or (0 if of_data else time)
    return MinutePipe(
        symbols,
        calendar,
        after=_begin_of_bar(resumed, resolution, calendar),
        grace=min(grace, _QUIET) if of_data else grace,
        quiet=of_data,
        hours=resolution is Resolution.HOUR,
        # Alpaca's test stream never sleeps.
        regular=config.data != "test" and not extended,
    )


def _begin_of_bar(time: int, resolution: Resolution, calendar: SessionCalendar) -> int:
    """Return where the bar that is running began, so that it becomes a whole one."""
    began = time // resolution.nanoseconds * resolution.nanoseconds
    session = calendar.at(time)
    return began if session is None else max(began, session.open_ns)


def made_rules(
    config: AlpacaConfig,
    resolution: Resolution,
    calendar: SessionCalendar,
    *,
    wall: Callable[[], int],
    read: Callable[[int | None], Awaitable[Rows]],
    clock: Callable[[], Awaitable[dict[str, Any]]],
    begun: bool,
) -> Rules:
    """Return what a silence means; see the classes."""
    if config.clock == "wall":
        return WallRules(calendar, wall, config.mute_seconds, delay_of(config))
    return DataRules(
        read=read,
        clock=clock,
        ends=config.at_end == "stop",
        unfinished=resolution is Resolution.DAY,
        begun=begun,
    )
