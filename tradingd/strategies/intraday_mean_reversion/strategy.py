"""Orders of the intraday mean reversion; the rules are in `signal.py`."""

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.market import Session
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.strategies.advised import advised
from tradingd.strategies.decision import Entry
from tradingd.strategies.intraday_mean_reversion.signal import MeanReversionSignal
from tradingd.strategies.sizing import shares_by_risk


class IntradayMeanReversion(Strategy):
    """Fade what RSI confirms, guard it with a stop, be flat before the session ends."""

    Settings = config.IntradayMeanReversion

    def on_begin(self) -> None:
        """Create one signal per symbol."""
        self.signals = {symbol: MeanReversionSignal(self.settings) for symbol in self.symbols}
        for symbol, signal in self.signals.items():
            self.track(symbol, signal)

    def on_session_open(self, session: Session) -> None:
        """Start every VWAP afresh."""
        for signal in self.signals.values():
            signal.start_session()

    def on_bar(self, bar: Bar) -> None:
        """Leave when the rules say so, else enter when they do."""
        symbol = self.symbol_of(bar)
        signal = self.signals[symbol]
        close = bar.close.as_double()
        signal.update(bar.high.as_double(), bar.low.as_double(), close, bar.volume.as_double())
        held = self.position(symbol)
        if held:
            self.leave(
                symbol, signal.exit(Side.BUY if held > 0 else Side.SELL, self.minutes_to_close)
            )
        elif entry := signal.entry(self.minutes_to_close):
            self.open(symbol, entry, close)

    def on_session_close(self, session: Session) -> None:
        """Leave what a symbol without late bars could not close in time."""
        for symbol in self.symbols:
            if self.position(symbol):
                self.leave(symbol, "the session ended before a bar allowed the exit")

    def open(self, symbol: str, wish: Entry, close: float) -> None:
        """Enter with a size that risks the configured share of the equity."""
        agreed = advised(self.settings.use_model, self.advice, symbol, wish, close)
        if agreed is None:
            return
        wanted = shares_by_risk(
            equity=self.equity,
            price=close,
            stop=agreed.planned_stop,
            risk_percent=self.settings.risk_percent,
            max_position_percent=self.settings.max_position_percent,
        )
        shares, entry = agreed.shares(wanted), agreed.entry
        if shares and not self.pending(symbol):
            self.enter(symbol, entry.side, shares, reason=entry.reason, stop=entry.stop)

    def leave(self, symbol: str, reason: str | None) -> None:
        """Close the position if there is a reason to and no exit is on its way."""
        if reason and not self.pending(symbol):
            self.exit(symbol, reason=reason)
