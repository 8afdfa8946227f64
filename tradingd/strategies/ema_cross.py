"""Long while the fast average is above the slow one, flat otherwise: the small example.

It sends no protective stop (the cross is its exit), so it runs under ``risk=open``; profile
`default` denies entries without a stop.
"""

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.indicators.ema import Ema


class Averages:
    """Both averages of one symbol, and which is above the other.

    An object per symbol: attributes of a strategy are slow to reach (the engine's base class),
    those of a plain object are not.
    """

    def __init__(self, fast: int, slow: int) -> None:
        self.fast = Ema(fast)
        self.slow = Ema(slow)
        self.above = False

    def crossed(self, price: float) -> bool:
        """Take the next price; tell whether the fast average changed sides."""
        fast, slow = self.fast, self.slow
        fast.update(price)
        slow.update(price)
        if not slow.ready or (fast.value > slow.value) is self.above:
            return False
        self.above = not self.above
        return True


class EmaCross(Strategy):
    """Trade every cross of two exponential averages with a fixed quantity."""

    Settings = config.EmaCross

    def on_begin(self) -> None:
        """Create both averages per symbol."""
        self.averages: dict[str, Averages] = {}
        for symbol in self.symbols:
            averages = Averages(self.settings.fast, self.settings.slow)
            self.track(symbol, averages.fast, averages.slow)
            self.averages[symbol] = averages

    def on_bar(self, bar: Bar) -> None:
        """Update the averages and act when one crosses the other."""
        symbol = self.symbol_of(bar)
        averages = self.averages[symbol]
        if averages.crossed(bar.close.as_double()):
            self.trade(symbol, averages)

    def trade(self, symbol: str, averages: Averages) -> None:
        """Buy on a cross upwards, sell what is held on a cross downwards."""
        reason = self.describe(averages)
        if averages.above:
            self.enter(symbol, Side.BUY, self.settings.quantity, reason=reason)
        else:
            self.exit(symbol, reason=reason)

    def describe(self, averages: Averages) -> str:
        """Return the cross in words."""
        fast, slow = averages.fast, averages.slow
        relation = "above" if averages.above else "below"
        return (
            f"EMA {self.settings.fast} {fast.value:.4f} {relation} "
            f"EMA {self.settings.slow} {slow.value:.4f}"
        )
