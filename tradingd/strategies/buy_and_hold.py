"""Buy (or short) on the first bar and hold: the yardstick every strategy is compared with.

It sends no protective stop and puts the whole equity to work, so it runs under ``risk=open``;
profile `default` denies entries without a stop.

The equal parts count every symbol of the run, also those that list later: with `universe=stored`
that is knowledge of the future, and `tradingd validate` says so. Name the symbols, or state a
quantity, where the yardstick must be strict.
"""

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.strategies.sizing import equal_share


class BuyAndHold(Strategy):
    """Enter every symbol once, on its first bar that may be traded, and never leave."""

    Settings = config.BuyAndHold

    def on_begin(self) -> None:
        """Note what there is to divide and that nothing was bought yet."""
        self.waiting = set(self.symbols)
        self.capital = self.equity

    def on_bar(self, bar: Bar) -> None:
        """Enter on the first bar of a symbol."""
        # Once everything is bought this is all a bar costs.
        if not self.waiting:
            return
        symbol = self.symbol_of(bar)
        if symbol not in self.waiting:
            return
        held = self.position(symbol) or self.pending(symbol)
        if not held and self.warming_up:
            return
        self.waiting.discard(symbol)
        # It is held already after a restart.
        if not held:
            self.open(symbol, bar.close.as_double())

    def open(self, symbol: str, price: float) -> None:
        """Enter with the stated quantity, or with an equal part of the starting equity."""
        fixed = self.settings.quantity
        shares = fixed or equal_share(equity=self.capital, price=price, parts=len(self.symbols))
        if shares <= 0:
            # The engine's logger takes one text and no arguments.
            self.log.warning(f"{symbol}: one share costs more than its part")  # noqa: G004
            return
        size = "fixed quantity" if fixed else f"1/{len(self.symbols)} of {self.capital:.2f} USD"
        reason = f"first bar, close {price:.2f}: hold {shares} shares ({size})"
        self.enter(symbol, Side.SELL if self.settings.short else Side.BUY, shares, reason=reason)
