"""A strategy that looks at every bar and sends no order: what streaming alone costs in memory."""

from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.engine.strategy import Strategy


class IdleSettings(StrategyBase, frozen=True, kw_only=True):
    """Nothing to state."""


class Idle(Strategy):
    """Counts bars."""

    Settings = IdleSettings

    def on_begin(self) -> None:
        """Start from zero."""
        self.seen = 0

    def on_bar(self, bar: Bar) -> None:
        """Count."""
        self.seen += 1
