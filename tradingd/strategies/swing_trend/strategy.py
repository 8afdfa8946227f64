"""Orders of the swing trend; the rules are in `signal.py`."""

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.market import Session
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.strategies.advised import Advised, advised
from tradingd.strategies.decision import Entry
from tradingd.strategies.sizing import shares_by_risk
from tradingd.strategies.swing_trend.signal import SwingSignal, protects_more


class SwingTrend(Strategy):
    """Hold the strongest pull-backs for some days behind a trailing stop.

    With daily bars entries wait for the session's close, when every symbol's bar is known, so that
    the strongest trends get the free places, not the first letters of the alphabet.
    """

    Settings = config.SwingTrend

    def on_begin(self) -> None:
        """Create one signal per symbol."""
        self.signals = {symbol: SwingSignal(self.settings) for symbol in self.symbols}
        self.sessions_held = dict.fromkeys(self.symbols, 0)
        self.candidates: list[tuple[str, Entry, float]] = []
        for symbol, signal in self.signals.items():
            self.track(symbol, signal)

    def on_bar(self, bar: Bar) -> None:
        """Manage an open position, or note an entry."""
        symbol = self.symbol_of(bar)
        signal = self.signals[symbol]
        close = bar.close.as_double()
        signal.update(bar.high.as_double(), bar.low.as_double(), close)
        held = self.position(symbol)
        if held:
            self.manage(symbol, signal, Side.BUY if held > 0 else Side.SELL)
        elif entry := signal.entry():
            self.candidates.append((symbol, entry, close))
            if self.settings.bars != "1d":
                self.open_strongest()

    def on_session_close(self, session: Session) -> None:
        """Count the session for what is held, then enter the strongest of the day."""
        for symbol in self.symbols:
            held = self.position(symbol)
            self.sessions_held[symbol] = self.sessions_held[symbol] + 1 if held else 0
        self.open_strongest()

    def manage(self, symbol: str, signal: SwingSignal, side: Side) -> None:
        """Close the position or let its stop follow the price."""
        if self.pending(symbol):
            return
        # The count is of closed sessions; the one in progress is held too.
        if reason := signal.exit(side, self.sessions_held[symbol] + 1):
            self.exit(symbol, reason=reason)
            return
        stop = signal.stop(side)
        if protects_more(side, stop, self.stop_price(symbol)):
            self.move_stop(symbol, stop, reason=f"trail by {self.settings.trail_atr:g} ATR")

    def open_strongest(self) -> None:
        """Send as many of the noted entries as there are free places, the highest ADX first.

        Those that the model speaks against take no place. A denied one is not replaced by the
        next: most denials are about the account, not the stock.
        """
        candidates = sorted(self.candidates, key=lambda one: (-one[1].strength, one[0]))
        self.candidates.clear()
        if not candidates:
            return
        free = self.settings.max_positions - sum(map(self.occupied, self.symbols))
        for symbol, entry, close in candidates:
            if free <= 0:
                return
            agreed = advised(self.settings.use_model, self.advice, symbol, entry, close)
            if agreed is not None:
                free -= 1
                self.open(symbol, agreed, close)

    def occupied(self, symbol: str) -> bool:
        """Tell whether a symbol takes one of the places: held, or an order on its way."""
        return bool(self.position(symbol)) or self.pending(symbol)

    def open(self, symbol: str, agreed: Advised, close: float) -> None:
        """Enter with a size that risks the configured share of the equity."""
        wanted = shares_by_risk(
            equity=self.equity,
            price=close,
            stop=agreed.planned_stop,
            risk_percent=self.settings.risk_percent,
            max_position_percent=self.settings.max_position_percent,
        )
        shares, entry = agreed.shares(wanted), agreed.entry
        if shares and not self.occupied(symbol):
            self.sessions_held[symbol] = 0
            self.enter(symbol, entry.side, shares, reason=entry.reason, stop=entry.stop)
