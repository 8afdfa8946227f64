"""Minutes to hours: full hours of New York, cut at the session's close."""

from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Resolution
from tradingd.session.calendar import SessionCalendar

_HOUR = Resolution.HOUR.nanoseconds


class Hours:
    """Builds hour bars out of minute batches. Pure.

    Hours end at full hours, the last at the close of the session (16:00, 13:00 on half days), as
    those in the store: the first one of a day holds the half hour from 9:30 on.

    Parameters
    ----------
    calendar : SessionCalendar
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._close = 0
        self._bars: dict[str, MarketBar] = {}

    @property
    def pending(self) -> int:
        """Close of the hour that is being built, UTC ns; 0 when there is none."""
        return self._close if self._bars else 0

    def close_of(self, minute: int) -> int:
        """Return the close of the hour that a minute (by its close) lies in."""
        full = -(-minute // _HOUR) * _HOUR
        session = self._calendar.at(minute)
        return full if session is None else min(full, session.close_ns)

    def add(self, batch: Batch) -> list[Batch]:
        """Take a batch of minutes; return the hours that are complete with it."""
        close = self.close_of(batch.ts)
        done = self.through(close - 1)
        self._close = close
        for bar in batch.bars:
            before = self._bars.get(bar.symbol)
            self._bars[bar.symbol] = bar if before is None else _joined(before, bar)
        return [*done, *(self.through(close) if batch.ts == close else [])]

    def through(self, ts: int) -> list[Batch]:
        """Return the hour in work if it closes at or before `ts`: no minute of it will come."""
        if not self._bars or self._close > ts:
            return []
        bars, self._bars = self._bars, {}
        return [Batch(self._close, tuple(bars[name] for name in sorted(bars)))]


def _joined(before: MarketBar, bar: MarketBar) -> MarketBar:
    return MarketBar(
        bar.symbol,
        before.open,
        max(before.high, bar.high),
        min(before.low, bar.low),
        bar.close,
        before.volume + bar.volume,
    )
