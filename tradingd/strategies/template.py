"""A strategy of your own: copy this file anywhere, rename it, change it, run it by import path.

    cp tradingd/strategies/template.py my_strategy.py
    tradingd backtest strategy=custom strategy.path=my_strategy:Breakout strategy.params.days=55

This one buys the highest close of the last `days` bars and lets a stop follow.
"""

from collections import deque
from typing import Annotated

from msgspec import Meta
from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.indicators.atr import Atr
from tradingd.strategies.sizing import shares_by_risk


class BreakoutSettings(StrategyBase, frozen=True, kw_only=True):
    """What `strategy.params` may state; unknown keys and impossible values are refused."""

    days: Annotated[int, Meta(ge=2, description="Bars whose highest close is to be beaten.")] = 20
    stop_atr: Annotated[float, Meta(gt=0, description="Stop distance in true ranges.")] = 3.0
    risk_percent: Annotated[float, Meta(gt=0, le=100)] = 0.3
    max_position_percent: Annotated[float, Meta(gt=0, le=100)] = 4.5


class Recent:
    """The closes a breakout must beat; anything with `rescale` can be tracked."""

    def __init__(self, length: int) -> None:
        self.closes: deque[float] = deque(maxlen=length)

    def is_beaten(self, close: float) -> bool:
        """Tell whether a close is above all the others, once there are enough of them."""
        return len(self.closes) == self.closes.maxlen and close > max(self.closes)

    def rescale(self, factor: float) -> None:
        """Carry the closes over a split."""
        self.closes = deque((one * factor for one in self.closes), self.closes.maxlen)


class Breakout(Strategy):
    """Buy new highs; leave by a stop that trails the close."""

    Settings = BreakoutSettings

    def on_begin(self) -> None:
        """Create what every symbol remembers; `track` keeps it right when the symbol splits."""
        self.recent = {symbol: Recent(self.settings.days) for symbol in self.symbols}
        self.ranges = {symbol: Atr(14) for symbol in self.symbols}
        for symbol in self.symbols:
            self.track(symbol, self.recent[symbol], self.ranges[symbol])

    def on_bar(self, bar: Bar) -> None:
        """Decide once per bar and symbol; orders fill at the next bar."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        average_range = self.ranges[symbol]
        average_range.update(bar.high.as_double(), bar.low.as_double(), close)
        beaten = self.recent[symbol].is_beaten(close)
        self.recent[symbol].closes.append(close)
        if not average_range.ready:
            return
        stop = close - self.settings.stop_atr * average_range.value
        if self.position(symbol):
            self.trail(symbol, stop)
        elif beaten and stop > 0 and not self.pending(symbol):
            self.buy(symbol, close, stop)

    def buy(self, symbol: str, close: float, stop: float) -> None:
        """Enter with a stop; the gate's default profile denies entries without one."""
        quantity = shares_by_risk(
            equity=self.equity,
            price=close,
            stop=stop,
            risk_percent=self.settings.risk_percent,
            max_position_percent=self.settings.max_position_percent,
        )
        if quantity:
            reason = f"close {close:.2f} above the last {self.settings.days} closes"
            self.enter(symbol, Side.BUY, quantity, reason=reason, stop=stop)

    def trail(self, symbol: str, stop: float) -> None:
        """Move the stop up, never down."""
        current = self.stop_price(symbol)
        if current is None or stop > current:
            self.move_stop(symbol, stop, reason=f"trail by {self.settings.stop_atr:g} ATR")
