"""What a symbol did today, bar by bar."""

import msgspec

from tradingd.domain.feed import MarketBar, Quote
from tradingd.domain.money import Nanos


class Tally(msgspec.Struct, kw_only=True):
    """One symbol since the window began; `volume` in shares, prices in Nanos, times UTC ns."""

    last: Nanos = 0
    high: Nanos = 0
    low: Nanos = 0
    volume: int = 0
    bars: int = 0
    ts: int = 0
    quote: Quote | None = None

    def add(self, bar: MarketBar, ts: int) -> None:
        """Take the next bar, which closes at `ts`; one that was taken already counts once.

        A live feed may stream a minute that its history told before.
        """
        if ts <= self.ts:
            return
        self.last = bar.close
        self.high = max(self.high, bar.high)
        self.low = min(self.low, bar.low) if self.bars else bar.low
        self.volume += bar.volume
        self.bars += 1
        self.ts = ts

    @property
    def spread_percent(self) -> float | None:
        """Spread over mid price by the last quote; None when unknown or crossed."""
        quote = self.quote
        if quote is None or not 0 < quote.bid <= quote.ask:
            return None
        return 200 * (quote.ask - quote.bid) / (quote.ask + quote.bid)
