"""Volume by price and by time of day.

The point of control is the price with the most volume (the lowest of equals). The value area grows
from it, one price at a time to the side with more volume next (the upper of equals), until it holds
70 % of all volume: Steidlmayer's market profile, as the CBOT's handbook tells it. Prices are in
cents; finer prints (midpoints) go to the nearest cent, halves up.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.halfhours import COUNT, HalfHours, label
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.signs import SignCounts, TradeSigns
from tradingd.microstructure.thin import MOST_POINTS

VALUE_AREA: Final = 0.7


class PriceVolume(msgspec.Struct, frozen=True, kw_only=True):
    """Shares traded at a price (dollars), or from it on where prices are put together."""

    price: float
    shares: int


class HalfHourVolume(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of a half hour; shares bought, sold and of unknown side."""

    half_hour: str
    trades: int
    bought: int
    sold: int
    unknown: int


class ProfileResult(msgspec.Struct, frozen=True, kw_only=True):
    """Volume profile; prices in dollars. `step_cents`: prices put together in `by_price`."""

    trades: int = 0
    shares: int = 0
    point_of_control: float | None = None
    value_area_low: float | None = None
    value_area_high: float | None = None
    value_area_share: float | None = None
    step_cents: int = 1
    by_price: tuple[PriceVolume, ...] = ()
    by_half_hour: tuple[HalfHourVolume, ...] = ()
    signs: SignCounts = SignCounts()
    reason: str = ""


class Profile:
    """Add up shares by price and half hour."""

    def __init__(self, hours: HalfHours) -> None:
        self._hours = hours
        self._signs = TradeSigns()
        self._shares: dict[int, int] = {}
        # Half hour: trades, bought, sold, unknown.
        self._times = np.zeros((COUNT, 4), np.int64)

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the trades among the next states."""
        signs, _ = self._signs.feed(book, trades)
        cents, where = np.unique(
            (trades.price + TICK_UNITS // 2) // TICK_UNITS, return_inverse=True
        )
        shares = np.zeros(len(cents), np.int64)
        np.add.at(shares, where, trades.size)
        for cent, count in zip(cents.tolist(), shares.tolist(), strict=True):
            self._shares[cent] = self._shares.get(cent, 0) + count
        for number, rows in self._hours.parts(trades.ts):
            size, sign = trades.size[rows], signs[rows]
            sides = (
                int(size[sign > 0].sum()),
                int(size[sign < 0].sum()),
                int(size[sign == 0].sum()),
            )
            self._times[number] += (len(size), *sides)

    def result(self) -> ProfileResult:
        """Return the profile so far."""
        if not self._shares or not sum(self._shares.values()):
            return ProfileResult(reason="there were no trades")
        cents = np.array(sorted(self._shares), np.int64)
        shares = np.array([self._shares[int(cent)] for cent in cents], np.int64)
        low, high = value_area(shares)
        step = -(-(int(cents[-1] - cents[0]) + 1) // MOST_POINTS)
        return ProfileResult(
            trades=int(self._times[:, 0].sum()),
            shares=int(shares.sum()),
            point_of_control=int(cents[shares.argmax()]) / 100,
            value_area_low=int(cents[low]) / 100,
            value_area_high=int(cents[high]) / 100,
            value_area_share=float(shares[low : high + 1].sum() / shares.sum()),
            step_cents=step,
            by_price=_by_price(cents, shares, step),
            by_half_hour=tuple(
                HalfHourVolume(
                    half_hour=label(number),
                    trades=int(row[0]),
                    bought=int(row[1]),
                    sold=int(row[2]),
                    unknown=int(row[3]),
                )
                for number, row in enumerate(self._times)
                if row[0]
            ),
            signs=self._signs.counts(),
        )


def value_area(shares: Ints64, share: float = VALUE_AREA) -> tuple[int, int]:
    """Return first and last index of the value area over (p,) volumes by rising price."""
    low = high = int(shares.argmax())
    inside, goal = int(shares[low]), share * int(shares.sum())
    while inside < goal:
        below = int(shares[low - 1]) if low > 0 else -1
        above = int(shares[high + 1]) if high + 1 < len(shares) else -1
        if above >= below:
            high += 1
            inside += above
        else:
            low -= 1
            inside += below
    return low, high


def _by_price(cents: Ints64, shares: Ints64, step: int) -> tuple[PriceVolume, ...]:
    found: dict[int, int] = {}
    for cent, count in zip((cents // step * step).tolist(), shares.tolist(), strict=True):
        found[cent] = found.get(cent, 0) + count
    return tuple(PriceVolume(price=cent / 100, shares=count) for cent, count in found.items())
