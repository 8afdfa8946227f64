"""What an order would trade at now: bid and ask from quotes, else derived from the last close."""

from collections.abc import Callable
from typing import Final, Protocol

from tradingd.config.execution import FixedSlippage, SlippageConfig, SpreadVolatilitySlippage
from tradingd.domain.feed import Quote
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos

_PER_BASIS_POINT: Final = 100_000
_BILLION: Final = 1_000_000_000


class Touch(Protocol):
    """Knows what the market bids and asks."""

    def touch(self, symbol: str) -> tuple[Nanos, Nanos] | None:
        """Return (bid, ask); None where nothing is known, or nothing fresh."""
        ...


class Quotes:
    """The last quote of every symbol, as long as it is fresh and makes sense.

    Parameters
    ----------
    now : Callable
        Time that quotes are measured by, UTC ns.
    max_age_seconds : float
        Age at which a quote tells nothing any more.
    """

    def __init__(self, now: Callable[[], int], max_age_seconds: float = 10.0) -> None:
        self._now = now
        self._max_age = round(max_age_seconds * NANOSECONDS)
        self._quotes: dict[str, Quote] = {}

    def take(self, quote: Quote) -> None:
        """Remember a quote; an older one than the last changes nothing."""
        known = self._quotes.get(quote.symbol)
        if known is None or quote.ts >= known.ts:
            self._quotes[quote.symbol] = quote

    def touch(self, symbol: str) -> tuple[Nanos, Nanos] | None:
        """Return (bid, ask); None without a quote, with a stale, one-sided or crossed one."""
        quote = self._quotes.get(symbol)
        if quote is None or self._now() - quote.ts >= self._max_age:
            return None
        return (quote.bid, quote.ask) if 0 < quote.bid <= quote.ask else None


def around(close: Nanos, half_spread_bps: float) -> tuple[Nanos, Nanos]:
    """Return the (bid, ask) that a close and half a spread stand for, rounded outwards."""
    parts = close * round(half_spread_bps * _PER_BASIS_POINT)
    half = -(-parts // _BILLION)
    return max(1, close - half), close + half


def half_spread(slippage: SlippageConfig) -> float:
    """Return the half spread in basis points that a cost model charges."""
    if isinstance(slippage, SpreadVolatilitySlippage):
        return slippage.half_spread_bps
    return slippage.basis_points if isinstance(slippage, FixedSlippage) else 0.0
