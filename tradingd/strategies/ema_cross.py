"""Long while the fast average is above the slow one, flat otherwise: the small example.

It sends no protective stop (the cross is its exit), so it runs under ``risk=open``; profile
`default` denies entries without a stop.
"""

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.indicators.ema import Ema


class EmaCross(Strategy):
    """Trade every cross of two exponential averages with a fixed quantity."""

    Settings = config.EmaCross

    def on_begin(self) -> None:
        """Create both averages per symbol."""
        self.averages: dict[str, tuple[Ema, Ema]] = {}
        self.above = dict.fromkeys(self.symbols, False)
        for symbol in self.symbols:
            fast, slow = Ema(self.settings.fast), Ema(self.settings.slow)
            self.track(symbol, fast, slow)
            self.averages[symbol] = fast, slow

    def on_bar(self, bar: Bar) -> None:
        """Update the averages and act when one crosses the other."""
        symbol = self.symbol_of(bar)
        fast, slow = self.averages[symbol]
        close = bar.close.as_double()
        fast.update(close)
        slow.update(close)
        if not slow.ready:
            return
        above = fast.value > slow.value
        if above != self.above[symbol]:
            self.above[symbol] = above
            self.trade(symbol, above, self.describe(fast.value, slow.value))

    def trade(self, symbol: str, above: bool, reason: str) -> None:
        """Buy on a cross upwards, sell what is held on a cross downwards."""
        if above:
            self.enter(symbol, Side.BUY, self.settings.quantity, reason=reason)
        else:
            self.exit(symbol, reason=reason)

    def describe(self, fast: float, slow: float) -> str:
        """Return the cross in words."""
        relation = "above" if fast > slow else "below"
        return f"EMA {self.settings.fast} {fast:.4f} {relation} EMA {self.settings.slow} {slow:.4f}"
