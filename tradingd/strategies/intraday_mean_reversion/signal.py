"""Rules of the intraday mean reversion: bars of one symbol in, decisions out.

Enter against a close that lies further than `z_entry` from the session VWAP while RSI says
oversold (or overbought), once per stretch, with a stop `stop_atr` average true ranges away. Leave
when the stretch is gone, and before the session ends in any case.
"""

import msgspec

from tradingd.config.strategy import IntradayMeanReversion
from tradingd.domain.orders import Side
from tradingd.indicators.atr import Atr
from tradingd.indicators.rsi import Rsi
from tradingd.indicators.vwap import VwapStretch
from tradingd.strategies.decision import Entry


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at: the last close, its stretch from the VWAP, RSI and ATR."""

    close: float
    vwap: float
    z: float
    rsi: float
    atr: float


class MeanReversionSignal:
    """Indicators of one symbol, and the rules on top of them.

    Parameters
    ----------
    settings : IntradayMeanReversion
        Thresholds and periods.
    """

    def __init__(self, settings: IntradayMeanReversion) -> None:
        self._settings = settings
        self._close = 0.0
        self._faded: Side | None = None
        self.stretch = VwapStretch(settings.z_window)
        self.rsi = Rsi(settings.rsi_period)
        self.atr = Atr(settings.atr_period)

    def start_session(self) -> None:
        """Start the session's VWAP afresh; call it at every open."""
        self.stretch.start_session()

    def update(self, high: float, low: float, close: float, volume: float) -> None:
        """Take the next bar."""
        self._close = close
        self.stretch.update(high, low, close, volume)
        self.rsi.update(close)
        self.atr.update(high, low, close)
        if self._faded and is_gone(self.stretch.value, self._faded, self._settings):
            self._faded = None

    @property
    def reading(self) -> Reading | None:
        """The last bar's values, or None while an indicator is still warming up."""
        if not (self.stretch.ready and self.rsi.ready and self.atr.ready):
            return None
        return Reading(
            close=self._close,
            vwap=self.stretch.vwap.value,
            z=self.stretch.value,
            rsi=self.rsi.value,
            atr=self.atr.value,
        )

    def entry(self, minutes_to_close: float) -> Entry | None:
        """Return the entry that the last bar asks for, if any; every stretch is faded once.

        After a stop, or a denial, the same stretch gives no second entry: it must be gone first.
        """
        # Most bars are within the band; asking first spares them the reading.
        if not abs(self.stretch.value) > self._settings.z_entry:
            return None
        reading = self.reading
        entry = entry_for(reading, self._settings, minutes_to_close) if reading else None
        if entry is None or entry.side is self._faded:
            return None
        self._faded = entry.side
        return entry

    def exit(self, side: Side, minutes_to_close: float) -> str | None:
        """Return why a position should be closed after the last bar, or None to keep it."""
        return exit_for(self.stretch.value, side, self._settings, minutes_to_close)

    def rescale(self, factor: float) -> None:
        """Carry every remembered price over a split."""
        self._close *= factor
        self.stretch.rescale(factor)
        self.rsi.rescale(factor)
        self.atr.rescale(factor)


def entry_for(
    reading: Reading, settings: IntradayMeanReversion, minutes_to_close: float
) -> Entry | None:
    """Decide whether a flat position should be opened."""
    if minutes_to_close <= settings.flatten_minutes or reading.atr <= 0.0:
        return None
    distance = settings.stop_atr * reading.atr
    if reading.z < -settings.z_entry and reading.rsi < settings.rsi_oversold:
        because = (
            f"z {reading.z:.2f} below {-settings.z_entry:.2f}, "
            f"RSI {reading.rsi:.1f} < {settings.rsi_oversold:g}"
        )
        return _entry(Side.BUY, reading.close - distance, because, reading, settings)
    if (
        settings.allow_short
        and reading.z > settings.z_entry
        and reading.rsi > settings.rsi_overbought
    ):
        because = (
            f"z {reading.z:.2f} above {settings.z_entry:.2f}, "
            f"RSI {reading.rsi:.1f} > {settings.rsi_overbought:g}"
        )
        return _entry(Side.SELL, reading.close + distance, because, reading, settings)
    return None


def _entry(
    side: Side, stop: float, because: str, reading: Reading, settings: IntradayMeanReversion
) -> Entry | None:
    if stop <= 0.0:
        return None
    where = (
        f"close {reading.close:.2f}, VWAP {reading.vwap:.2f}, "
        f"stop {stop:.2f} ({settings.stop_atr:g} ATR)"
    )
    return Entry(side=side, stop=stop, reason=f"{because}; {where}", strength=abs(reading.z))


def exit_for(
    z: float, side: Side, settings: IntradayMeanReversion, minutes_to_close: float
) -> str | None:
    """Decide whether an open position should be closed; its stop is the venue's business."""
    if minutes_to_close <= settings.flatten_minutes:
        return f"{minutes_to_close:g} min to the close, flat within {settings.flatten_minutes}"
    if not is_gone(z, side, settings):
        return None
    if side is Side.BUY:
        return f"z {z:.2f} back above {-settings.z_exit:.2f}"
    return f"z {z:.2f} back below {settings.z_exit:.2f}"


def is_gone(z: float, side: Side, settings: IntradayMeanReversion) -> bool:
    """Tell whether the stretch that a position on `side` fades is gone.

    One that jumped right over the VWAP is gone too: a long ends at any z above -z_exit, a short at
    any z below z_exit.
    """
    return z * side.sign > -settings.z_exit
