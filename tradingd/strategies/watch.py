"""What the strategies would have said over a series of bars, without an engine or an order.

Every watch follows one strategy's rules on one symbol and remembers the position that its own
signals imply. It is a commentary, not a backtest: a stop counts as reached when a bar trades
through it, nothing has a price, a cost or a limit.
"""

from typing import Literal, NamedTuple

import msgspec

from tradingd.config.strategy import EmaCross, IntradayMeanReversion, SwingTrend
from tradingd.domain.orders import Side
from tradingd.indicators.ema import Ema
from tradingd.strategies.decision import Entry
from tradingd.strategies.intraday_mean_reversion.signal import MeanReversionSignal
from tradingd.strategies.swing_trend.signal import SwingSignal, protects_more


class WatchedBar(NamedTuple):
    """A bar with its place in the session."""

    high: float
    low: float
    close: float
    volume: float
    opens_session: bool
    minutes_to_close: float


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy says after a bar; EXIT closes what its last BUY or SELL opened."""

    strategy: str
    action: Literal["BUY", "SELL", "EXIT"]
    reason: str


class Held:
    """The position that a watch's signals imply."""

    def __init__(self) -> None:
        self.side: Side | None = None
        self.stop = 0.0
        self.sessions = 0

    def open(self, entry: Entry) -> None:
        """Take the position of an entry."""
        self.side, self.stop, self.sessions = entry.side, entry.stop, 1

    def stopped(self, bar: WatchedBar) -> str | None:
        """Return the reason when a bar traded through the stop."""
        if self.side is Side.BUY and bar.low <= self.stop:
            return f"low {bar.low:.2f} reached the stop {self.stop:.2f}"
        if self.side is Side.SELL and bar.high >= self.stop:
            return f"high {bar.high:.2f} reached the stop {self.stop:.2f}"
        return None


class CrossWatch:
    """Follows the EMA cross."""

    name = "ema_cross"

    def __init__(self, settings: EmaCross) -> None:
        self._settings = settings
        self._fast = Ema(settings.fast)
        self._slow = Ema(settings.slow)
        self._above = False

    def update(self, bar: WatchedBar) -> Signal | None:
        """Take the next bar and return what it says."""
        self._fast.update(bar.close)
        self._slow.update(bar.close)
        if not self._slow.ready:
            return None
        above = self._fast.value > self._slow.value
        if above == self._above:
            return None
        self._above = above
        reason = (
            f"EMA {self._settings.fast} {self._fast.value:.4f} {'above' if above else 'below'} "
            f"EMA {self._settings.slow} {self._slow.value:.4f}"
        )
        return Signal(strategy=self.name, action="BUY" if above else "EXIT", reason=reason)


class MeanReversionWatch:
    """Follows the intraday mean reversion."""

    name = "intraday_mean_reversion"

    def __init__(self, settings: IntradayMeanReversion) -> None:
        self.signal = MeanReversionSignal(settings)
        self._held = Held()

    def update(self, bar: WatchedBar) -> Signal | None:
        """Take the next bar and return what it says."""
        if bar.opens_session:
            self.signal.start_session()
        self.signal.update(bar.high, bar.low, bar.close, bar.volume)
        side = self._held.side
        if side is None:
            return _opened(self.name, self._held, self.signal.entry(bar.minutes_to_close))
        reason = self._held.stopped(bar) or self.signal.exit(side, bar.minutes_to_close)
        return _closed(self.name, self._held, reason)


class SwingWatch:
    """Follows the swing trend."""

    name = "swing_trend"

    def __init__(self, settings: SwingTrend) -> None:
        self.signal = SwingSignal(settings)
        self._held = Held()

    def update(self, bar: WatchedBar) -> Signal | None:
        """Take the next bar and return what it says."""
        held = self._held
        if bar.opens_session:
            held.sessions += 1
        reached = held.stopped(bar)
        self.signal.update(bar.high, bar.low, bar.close)
        if held.side is None:
            return _opened(self.name, held, self.signal.entry())
        if reason := reached or self.signal.exit(held.side, held.sessions):
            return _closed(self.name, held, reason)
        stop = self.signal.stop(held.side)
        if protects_more(held.side, stop, held.stop):
            held.stop = stop
        return None


def _opened(strategy: str, held: Held, entry: Entry | None) -> Signal | None:
    if entry is None:
        return None
    held.open(entry)
    return Signal(strategy=strategy, action=entry.side.value, reason=entry.reason)


def _closed(strategy: str, held: Held, reason: str | None) -> Signal | None:
    if reason is None:
        return None
    held.side = None
    return Signal(strategy=strategy, action="EXIT", reason=reason)
