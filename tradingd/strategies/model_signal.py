"""Trade the model's own opinion: the surest symbols, for as long as the label looked ahead.

It judges a model by itself, without rules around it. With daily bars entries wait for the
session's close, when every symbol's bar is known, so that the surest get the free places.
"""

from typing import NamedTuple

from nautilus_trader.model import Bar

from tradingd.config import strategy as config
from tradingd.domain.advice import Advice
from tradingd.domain.market import Session
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.indicators.atr import Atr
from tradingd.strategies.advised import share_of, words
from tradingd.strategies.sizing import shares_by_risk


class Candidate(NamedTuple):
    """A symbol the model is sure enough of."""

    symbol: str
    side: Side
    confidence: float
    close: float
    advice: Advice


class ModelSignal(Strategy):
    """Hold what the model is surest of; leave after the horizon, at the stop, at the day's end."""

    Settings = config.ModelSignal

    def on_begin(self) -> None:
        """Create what every symbol remembers."""
        self.ranges = {symbol: Atr(self.settings.atr_period) for symbol in self.symbols}
        self.bars_held = dict.fromkeys(self.symbols, 0)
        self.candidates: list[Candidate] = []
        for symbol, one in self.ranges.items():
            self.track(symbol, one)

    def on_bar(self, bar: Bar) -> None:
        """Count what is held and close what is due; note what the model is sure of."""
        symbol = self.symbol_of(bar)
        close = bar.close.as_double()
        self.ranges[symbol].update(bar.high.as_double(), bar.low.as_double(), close)
        held = self.position(symbol)
        if held:
            self.manage(symbol, Side.BUY if held > 0 else Side.SELL)
            return
        self.bars_held[symbol] = 0
        if self.ranges[symbol].ready and not self.pending(symbol) and not self.closing:
            self.consider(symbol, close)
            if not self.daily:
                self.open_surest()

    def on_session_close(self, session: Session) -> None:
        """Enter the surest of the day; on intraday bars close what had no late bar."""
        if self.daily:
            self.open_surest()
        elif self.settings.flatten_minutes:
            for symbol in self.symbols:
                if self.position(symbol) and not self.pending(symbol):
                    self.exit(symbol, reason="the session ended before a bar allowed the exit")

    @property
    def daily(self) -> bool:
        """Whether a bar is a whole session."""
        return bool(self.settings.bars == "1d")

    @property
    def closing(self) -> bool:
        """Whether the session ends soon, and with it every position."""
        minutes = self.settings.flatten_minutes
        return bool(minutes) and not self.daily and self.minutes_to_close <= minutes

    def manage(self, symbol: str, side: Side) -> None:
        """Close a position that is due."""
        self.bars_held[symbol] += 1
        if self.pending(symbol):
            return
        if self.closing:
            self.exit(symbol, reason=f"{self.settings.flatten_minutes} minutes before the close")
            return
        held = self.bars_held[symbol]
        if held < self.settings.hold_bars:
            return
        if self.settings.extend and self.agrees(symbol, side):
            return
        self.exit(symbol, reason=f"held {held} bars, at most {self.settings.hold_bars}")

    def agrees(self, symbol: str, side: Side) -> bool:
        """Tell whether the model would enter on this side now."""
        confidence = self.advice(symbol).confidence(side)
        return confidence is not None and confidence >= self.settings.use_model.min_confidence

    def consider(self, symbol: str, close: float) -> None:
        """Note a symbol when the model is sure enough of one of its sides."""
        advice = self.advice(symbol)
        sides = (Side.BUY, Side.SELL) if self.settings.allow_short else (Side.BUY,)
        for side in sides:
            confidence = advice.confidence(side)
            if confidence is not None and confidence >= self.settings.use_model.min_confidence:
                self.candidates.append(Candidate(symbol, side, confidence, close, advice))
                return

    def open_surest(self) -> None:
        """Send as many entries as there are free places, the surest first."""
        if not self.candidates:
            return
        ordered = sorted(self.candidates, key=lambda one: (-one.confidence, one.symbol))
        self.candidates.clear()
        free = self.settings.max_positions - sum(map(self.occupied, self.symbols))
        for one in ordered[: max(free, 0)]:
            self.open(one)

    def occupied(self, symbol: str) -> bool:
        """Tell whether a symbol takes one of the places: held, or an order on its way."""
        return bool(self.position(symbol)) or self.pending(symbol)

    def open(self, one: Candidate) -> None:
        """Enter with a size that risks the configured share of the equity."""
        settings, use = self.settings, self.settings.use_model
        distance = settings.stop_atr * self.ranges[one.symbol].value
        stop = one.close - one.side.sign * distance
        if distance <= 0.0 or stop <= 0.0 or self.occupied(one.symbol):
            return
        shares = shares_by_risk(
            equity=self.equity,
            price=one.close,
            stop=stop,
            risk_percent=settings.risk_percent,
            max_position_percent=settings.max_position_percent,
        )
        share = share_of(one.confidence, use.min_confidence)
        if use.size_by_confidence:
            shares = int(shares * share)
        if use.tighten_stops:
            stop = one.close - one.side.sign * distance * share
        if shares:
            reason = (
                f"{words(one.advice, one.confidence, use)}; close {one.close:.2f}, "
                f"stop {stop:.2f} ({settings.stop_atr:g} ATR)"
            )
            self.enter(one.symbol, one.side, shares, reason=reason, stop=stop)
