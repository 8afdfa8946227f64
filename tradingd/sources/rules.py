"""What no real row can look like; a source refuses such rows unless told to leave them out."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import decimal
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.columns import Bars, Mask, Quotes, Rows, Trades

EXPECTED: Final = {
    "missing_value": "a value in every column",
    "non_positive_price": "prices above zero",
    "high_below_low": "high >= low",
    "open_outside_range": "low <= open <= high",
    "close_outside_range": "low <= close <= high",
    "negative_volume": "volume >= 0",
    "negative_size": "sizes >= 0",
    "non_positive_size": "size > 0",
    "empty_quote": "a bid or an ask",
    "repeated_time": "one bar per time and symbol",
    "fractional_volume": "whole shares",
}
"""Rule -> what a sound row satisfies."""


def defects(rows: Rows) -> Iterator[tuple[str, Mask]]:
    """Yield each rule with the rows that break it; rows of one symbol, sorted by time."""
    match rows:
        case Bars():
            yield from _bar_defects(rows)
        case Quotes():
            yield from _quote_defects(rows)
        case Trades():
            yield from _trade_defects(rows)


def _bar_defects(bars: Bars) -> Iterator[tuple[str, Mask]]:
    # `low` and `high` may be swapped, so every price is tested for the sign.
    prices = (bars.open, bars.high, bars.low, bars.close)
    yield "non_positive_price", np.minimum.reduce(prices) <= 0
    yield "high_below_low", bars.high < bars.low
    yield "open_outside_range", (bars.open > bars.high) | (bars.open < bars.low)
    yield "close_outside_range", (bars.close > bars.high) | (bars.close < bars.low)
    yield "negative_volume", bars.volume < 0


def _quote_defects(quotes: Quotes) -> Iterator[tuple[str, Mask]]:
    yield "non_positive_price", (quotes.bid < 0) | (quotes.ask < 0)
    yield "empty_quote", (quotes.bid == 0) & (quotes.ask == 0)
    yield "negative_size", (quotes.bid_size < 0) | (quotes.ask_size < 0)


def _trade_defects(trades: Trades) -> Iterator[tuple[str, Mask]]:
    yield "non_positive_price", trades.price <= 0
    yield "non_positive_size", trades.size <= 0


def repeated_times(rows: Rows) -> Mask:
    """Mark bars that share their time with the one before; ticks may share an instant.

    Rows of one symbol, sorted by time, so equal times are neighbours.
    """
    if not isinstance(rows, Bars):
        return np.zeros(len(rows.ts), dtype=np.bool_)
    repeated: Mask = np.diff(rows.ts, prepend=rows.ts[:1] - 1) == 0
    return repeated


def require_sound(rows: Rows, place: Callable[[int], str]) -> None:
    """Refuse the first impossible row.

    Parameters
    ----------
    place : callable
        Names the file, row and symbol of a row's position.

    Raises
    ------
    Failure
        INVALID_ROW with file, row number, symbol, time, rule and the values found.
    """
    for rule, broken in (*defects(rows), ("repeated_time", repeated_times(rows))):
        if broken.any():
            position = int(np.argmax(broken))
            raise invalid_row(rule, place(position), rows, position)


def invalid_row(rule: str, place: str, rows: Rows, position: int) -> Failure:
    """Describe one impossible row."""
    time = iso_time(int(rows.ts[position]))
    return Failure(
        f"invalid row ({rule})",
        code=ExitCode.INVALID_ROW,
        where=f"{place} at {time}",
        expected=EXPECTED[rule],
        found=_values(rows, position),
    )


_PRICES: Final = ("open", "high", "low", "close", "bid", "ask", "price")
_COUNTS: Final = ("volume", "bid_size", "ask_size", "size")


def _values(rows: Rows, position: int) -> str:
    fields = type(rows)._fields
    shown = [
        f"{name}={_plain(int(getattr(rows, name)[position]))}" for name in _PRICES if name in fields
    ]
    shown += [f"{name}={getattr(rows, name)[position]}" for name in _COUNTS if name in fields]
    return " ".join(shown)


def _plain(nanos: int) -> str:
    return f"{decimal(nanos).normalize():f}"


def iso_time(nanoseconds: int) -> str:
    """Format UTC nanoseconds for a message."""
    moment = dt.datetime.fromtimestamp(nanoseconds // NANOSECONDS, tz=dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
