"""A strategy for sessions on wall time: it wants to buy on every bar."""

from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


class Settings(StrategyBase, frozen=True, kw_only=True):
    """Nothing to set."""


class Eager(Strategy):
    """Asks for one share at every bar."""

    Settings = Settings

    def on_bar(self, bar: Bar) -> None:
        """Ask."""
        stop = round(bar.close.as_double() * 0.9, 2)
        self.enter(self.symbol_of(bar), Side.BUY, 1, reason="eager", stop=stop)
