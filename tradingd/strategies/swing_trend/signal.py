"""Rules of the swing trend: bars of one symbol in, decisions out.

The trend is up while the fast average is above the slow one and ADX is above `adx_min`. A
pull-back is a bar that touches the fast average and closes beyond it again, in the direction of
the trend. The stop trails the close by `trail_atr` average true ranges and never gives way;
the opposite cross or `max_days` sessions end the position where the stop has not.
"""

import msgspec

from tradingd.config.strategy import SwingTrend
from tradingd.domain.orders import Side
from tradingd.indicators.adx import Adx
from tradingd.indicators.atr import Atr
from tradingd.indicators.ema import Ema
from tradingd.strategies.decision import Entry


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at: the last bar, both averages, ADX and ATR."""

    high: float
    low: float
    close: float
    fast: float
    slow: float
    adx: float
    atr: float


class SwingSignal:
    """Indicators of one symbol, and the rules on top of them.

    Parameters
    ----------
    settings : SwingTrend
        Thresholds and periods.
    """

    def __init__(self, settings: SwingTrend) -> None:
        self._settings = settings
        self._bar = (0.0, 0.0, 0.0)
        self.fast = Ema(settings.fast)
        self.slow = Ema(settings.slow)
        self.adx = Adx(settings.adx_period)
        self.atr = Atr(settings.atr_period)

    def update(self, high: float, low: float, close: float) -> None:
        """Take the next bar."""
        self._bar = (high, low, close)
        self.fast.update(close)
        self.slow.update(close)
        self.adx.update(high, low, close)
        self.atr.update(high, low, close)

    @property
    def reading(self) -> Reading | None:
        """The last bar's values, or None while an indicator is still warming up."""
        if not (self.slow.ready and self.fast.ready and self.adx.ready and self.atr.ready):
            return None
        high, low, close = self._bar
        return Reading(
            high=high,
            low=low,
            close=close,
            fast=self.fast.value,
            slow=self.slow.value,
            adx=self.adx.value,
            atr=self.atr.value,
        )

    def entry(self) -> Entry | None:
        """Return the entry that the last bar asks for, if any."""
        reading = self.reading
        return entry_for(reading, self._settings) if reading else None

    def exit(self, side: Side, sessions_held: int) -> str | None:
        """Return why a position should be closed after the last bar, or None to keep it."""
        reading = self.reading
        return exit_for(reading, side, sessions_held, self._settings) if reading else None

    def stop(self, side: Side) -> float:
        """Return where the stop of a position would stand by the last bar alone."""
        return self._bar[2] - side.sign * self._settings.trail_atr * self.atr.value

    def rescale(self, factor: float) -> None:
        """Carry every remembered price over a split."""
        high, low, close = self._bar
        self._bar = (high * factor, low * factor, close * factor)
        self.fast.rescale(factor)
        self.slow.rescale(factor)
        self.adx.rescale(factor)
        self.atr.rescale(factor)


def protects_more(side: Side, candidate: float, current: float | None) -> bool:
    """Tell whether a stop at `candidate` is nearer to the price than the one that stands."""
    return current is None or (candidate - current) * side.sign > 0.0


def entry_for(reading: Reading, settings: SwingTrend) -> Entry | None:
    """Decide whether a flat position should be opened."""
    if not reading.adx > settings.adx_min or reading.atr <= 0.0:
        return None
    if reading.fast > reading.slow and reading.low <= reading.fast < reading.close:
        return _entry(Side.BUY, reading, settings)
    falling = reading.fast < reading.slow and reading.high >= reading.fast > reading.close
    if settings.allow_short and falling:
        return _entry(Side.SELL, reading, settings)
    return None


def _entry(side: Side, reading: Reading, settings: SwingTrend) -> Entry | None:
    stop = reading.close - side.sign * settings.trail_atr * reading.atr
    if stop <= 0.0:
        return None
    up = side is Side.BUY
    touched = f"low {reading.low:.2f}" if up else f"high {reading.high:.2f}"
    reason = (
        f"{'up' if up else 'down'}trend (EMA {settings.fast} {reading.fast:.2f} "
        f"{'above' if up else 'below'} EMA {settings.slow} {reading.slow:.2f}, "
        f"ADX {reading.adx:.1f} > {settings.adx_min:g}); pull-back: {touched} reached "
        f"EMA {settings.fast}, close {reading.close:.2f} {'above' if up else 'below'} it; "
        f"stop {stop:.2f} ({settings.trail_atr:g} ATR)"
    )
    return Entry(side=side, stop=stop, reason=reason, strength=reading.adx)


def exit_for(reading: Reading, side: Side, sessions_held: int, settings: SwingTrend) -> str | None:
    """Decide whether an open position should be closed; its stop is the venue's business.

    Parameters
    ----------
    sessions_held : int
        Sessions in which the position was open, the current one included.
    """
    if (reading.fast - reading.slow) * side.sign < 0.0:
        return (
            f"reverse cross: EMA {settings.fast} {reading.fast:.2f} "
            f"{'below' if side is Side.BUY else 'above'} EMA {settings.slow} {reading.slow:.2f}"
        )
    if sessions_held >= settings.max_days:
        return f"held {sessions_held} sessions, at most {settings.max_days}"
    return None
