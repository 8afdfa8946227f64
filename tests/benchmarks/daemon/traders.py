"""Strategies that keep the daemon busy; what they do is no idea about markets."""

from typing import Any

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.indicators.ema import Ema


class EverySettings(StrategyBase, frozen=True, kw_only=True):
    """How often, in bars."""

    every: int = 10


class Churn(Strategy):
    """Enters every symbol with a protective stop every few bars, and leaves half way."""

    Settings = EverySettings

    def on_begin(self) -> None:
        """Start counting; symbols take turns."""
        self.counts = {symbol: place for place, symbol in enumerate(self.symbols)}

    def on_bar(self, bar: Any) -> None:
        """Enter or leave when it is the symbol's turn."""
        symbol = self.symbol_of(bar)
        self.counts[symbol] += 1
        turn = self.counts[symbol] % self.settings.every
        if turn not in (0, self.settings.every // 2) or self.pending(symbol):
            return
        if self.position(symbol):
            self.exit(symbol, reason="half way")
        elif not turn:
            stop = bar.close.as_double() * 0.97
            self.enter(symbol, Side.BUY, 1, reason="its turn", stop=stop)


class Rests(Strategy):
    """Keeps one limit order far below the market in every symbol, for somebody to cancel."""

    def on_begin(self) -> None:
        """Begin without orders."""

    def on_bar(self, bar: Any) -> None:
        """Rest what is missing."""
        symbol = self.symbol_of(bar)
        if not self.pending(symbol):
            limit = round(bar.close.as_double() * 0.6, 2)
            self.enter(symbol, Side.BUY, 1, reason="rest", limit=limit, stop=limit * 0.9)


class Enters(Strategy):
    """Sends one market order for every bar, buying and selling in turn."""

    def on_begin(self) -> None:
        """Begin flat."""

    def on_bar(self, bar: Any) -> None:
        """Enter, or leave what was entered."""
        symbol = self.symbol_of(bar)
        side = Side.SELL if self.position(symbol) > 0 else Side.BUY
        self.enter(symbol, side, 1, reason="always")


class Averages(Strategy):
    """Two averages of every symbol of its own; trades where they cross."""

    def on_begin(self) -> None:
        """Make the averages."""
        self.averages = {one: (Ema(5), Ema(12)) for one in self.symbols}

    def on_bar(self, bar: Any) -> None:
        """Update; cross."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        fast, slow = self.averages[symbol]
        fast.update(close)
        slow.update(close)
        if not slow.ready or self.pending(symbol):
            return
        held = self.position(symbol)
        if fast.value > slow.value and not held:
            self.enter(symbol, Side.BUY, 10, reason="cross", stop=close * 0.98)
        elif fast.value < slow.value and held > 0:
            self.exit(symbol, reason="cross")
