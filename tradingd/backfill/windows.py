"""New York times of a day as UTC ns, across daylight saving time and half days."""

import datetime as dt
from typing import Final

from tradingd.backfill.provider import Window
from tradingd.config.backfill import BackfillConfig
from tradingd.domain.market import NANOSECONDS, Session
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import NEW_YORK

REGULAR_CLOSE: Final = dt.time(16)
"""When a whole session of the New York exchanges ends."""


def utc_ns(day: dt.date, clock: dt.time) -> int:
    """Return the UTC ns of a New York time of day."""
    moment = dt.datetime.combine(day, clock, tzinfo=NEW_YORK)
    return int(moment.timestamp()) * NANOSECONDS + moment.microsecond * 1_000


def window_on(session: Session, config: BackfillConfig) -> Window | None:
    """Return what is asked for on a session's day; None when the half day leaves nothing of it.

    The window is clamped to the trading window unless `enforce_trading_window` is false. On a
    half day the hours after the close are as long as on others, so a trading window to 20:00 ends
    at 17:00, but one that ends by itself before the close stays as it is.
    """
    start, end = (utc_ns(session.day, one) for one in (config.window_start, config.window_end))
    if config.enforce_trading_window:
        start = max(start, utc_ns(session.day, config.trading_start))
        end = min(end, _trading_end(session, config))
    return Window(start_ns=start, end_ns=end) if start < end else None


def _trading_end(session: Session, config: BackfillConfig) -> int:
    end = utc_ns(session.day, config.trading_end)
    earlier = max(0, utc_ns(session.day, REGULAR_CLOSE) - session.close_ns)
    return min(end, max(session.close_ns, end - earlier))


def check_window(config: BackfillConfig) -> None:
    """Refuse a window that lies outside the trading window on every day.

    Raises
    ------
    Failure
        CONFIG, naming both.
    """
    if not config.enforce_trading_window:
        return
    if config.window_start >= config.trading_end or config.window_end <= config.trading_start:
        raise Failure(
            "the window of the backfill lies outside the trading window",
            code=ExitCode.CONFIG,
            where="backfill.window_start, backfill.window_end",
            expected=f"times within {config.trading_start:%H:%M}-{config.trading_end:%H:%M} ET",
            found=f"{config.window_start:%H:%M}-{config.window_end:%H:%M} ET",
            next_step="change the window, or set backfill.enforce_trading_window=false",
        )
