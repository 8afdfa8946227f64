"""What bars alone do not tell, made up from them: trade counts, averages, quotes, trades.

A quote is the close with half a spread to either side, as the book's own touch; a trade is the
close with all of the bar's volume. Both are stamped with the bar's close.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata.store import StoredBar, StoredQuote, StoredTrade
from tradingd.simalpaca.marketdata.times import MINUTE
from tradingd.simbroker.matching import Spread

EXCHANGE: Final = "V"
TAPE: Final = "C"
LOT: Final = 100
_LARGEST_SIZE: Final = 2**32 - 1
_AVERAGE_STEP: Final = 1_000
_UNITS_PER_BPS: Final = 10_000


class AlpacaBar(NamedTuple):
    """A bar as Alpaca has it: stamped with its start (UTC ns), prices in whole 1e-9 dollars."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int
    average: int


def spread(half_bps: float) -> Spread:
    """Return the spread with so many basis points on either side."""
    return Spread(round(half_bps * _UNITS_PER_BPS))


def average(bar: StoredBar) -> int:
    """Return a stand-in for a bar's volume-weighted price: the mean of its four prices."""
    mean = (bar.open + bar.high + bar.low + bar.close) // 4
    return mean // _AVERAGE_STEP * _AVERAGE_STEP


def combined(start: int, bars: Sequence[StoredBar]) -> AlpacaBar:
    """Return one bar of several, given in time order; its trades are its parts."""
    volume = sum(bar.volume for bar in bars)
    if volume:
        mean = sum(average(bar) * bar.volume for bar in bars) // volume
    else:
        mean = sum(average(bar) for bar in bars) // len(bars)
    return AlpacaBar(
        start,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        volume,
        len(bars),
        mean // _AVERAGE_STEP * _AVERAGE_STEP,
    )


def quote(bar: StoredBar, around: Spread) -> StoredQuote:
    """Return the quote at a bar's close: a round lot on either side."""
    touch = around.around(bar.close)
    return StoredQuote(bar.close_ts, touch.bid, touch.ask, LOT, LOT)


def trade(bar: StoredBar) -> StoredTrade:
    """Return the trade at a bar's close."""
    return StoredTrade(bar.close_ts, bar.close, min(bar.volume, _LARGEST_SIZE), EXCHANGE, "@")


def trade_id(ts: int) -> int:
    """Return a trade id that is the same whenever it is asked for."""
    return ts // MINUTE
