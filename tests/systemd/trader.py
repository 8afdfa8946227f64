"""A strategy that trades on demand, for sessions under systemd; installed on the machine.

A file in the state folder is a command, taken once, its text a number of shares: ``buy-SYMBOL`` (at
market, with a stop far below), ``rest-SYMBOL`` (a bid far below), ``sell-SYMBOL`` (what is held).
"""

from pathlib import Path

from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


class Settings(StrategyBase, frozen=True, kw_only=True):
    """Nothing to set."""


class Trader(Strategy):
    """Obeys files."""

    Settings = Settings

    def on_bar(self, bar: Bar) -> None:
        """Look for commands about the bar's symbol."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        stop = round(close * 0.8, 2)
        if shares := _taken(f"buy-{symbol}"):
            self.enter(symbol, Side.BUY, shares, reason="on demand", stop=stop)
        if shares := _taken(f"rest-{symbol}"):
            bid = round(close * 0.9, 2)
            self.enter(symbol, Side.BUY, shares, reason="resting", limit=bid, stop=stop)
        if _taken(f"sell-{symbol}"):
            self.exit(symbol, reason="on demand")


def _taken(name: str) -> int:
    path = Path(name)
    try:
        shares = int(path.read_text())
    except FileNotFoundError:
        return 0
    path.unlink()
    return shares
