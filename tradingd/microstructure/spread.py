"""Quoted spread, weighted by the time it stood.

In 1/10,000 dollar inside, told in ticks of one cent and in basis points of the mid. A state stands
until the next; the last one of the source, and one before a gap, weigh nothing. Only usable states
count. Quantiles are of time: the spread was at most that for this share of it.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.halfhours import COUNT, HalfHours, label
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.standing import dot, standing
from tradingd.microstructure.states import Carry, Floats

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_FINE: Final = 65_536
"""Spreads below this, in price units (6.55 dollars), are told apart; wider ones count as this."""
_MOST_BINS: Final = 60
_BPS_PARTS: Final = 10
_BPS_MOST: Final = 10_000
"""Basis points are told apart in tenths, up to 1,000."""


class SpreadQuantile(msgspec.Struct, frozen=True, kw_only=True):
    """Spread not exceeded for this share of the time; bps to a tenth."""

    share: float
    ticks: float
    bps: float


class HalfHourSpread(msgspec.Struct, frozen=True, kw_only=True):
    """Mean over a half hour; `seconds`: how long usable states stood."""

    half_hour: str
    seconds: float
    ticks: float
    bps: float


class SpreadBin(msgspec.Struct, frozen=True, kw_only=True):
    """Share of the time at a spread above `low_ticks`, up to `high_ticks`; None: and more."""

    low_ticks: int
    high_ticks: int | None
    share: float


class SpreadResult(msgspec.Struct, frozen=True, kw_only=True):
    """Quoted spread; None where no usable state stood for any time, with the reason.

    `one_tick_share`: share of the time at a spread of one cent or less. `distribution`: bins of
    equal width, at most 60 up to the spread not exceeded for 99 % of the time, and one for the
    rest.
    """

    seconds: float
    mean_ticks: float | None = None
    mean_bps: float | None = None
    least_ticks: float | None = None
    one_tick_share: float | None = None
    quantiles: tuple[SpreadQuantile, ...] = ()
    by_half_hour: tuple[HalfHourSpread, ...] = ()
    distribution: tuple[SpreadBin, ...] = ()
    reason: str = ""


class Spread:
    """Add up how long each spread stood."""

    def __init__(self, hours: HalfHours) -> None:
        self._hours = hours
        self._carry = Carry()
        # Nanoseconds below 2**53 stay exact in doubles: 104 days.
        self._stood = np.zeros(_FINE + 1)
        self._stood_bps = np.zeros(_BPS_MOST + 1)
        # Nanoseconds, spread x ns (units), bps x ns.
        self._half_hours = np.zeros((COUNT, 3))

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        for older, newer in self._carry.pairs(book):
            self._add(older, standing(older, newer))

    def result(self) -> SpreadResult:
        """Return the averages so far."""
        total, units, bps = map(float, self._half_hours.sum(axis=0))
        if not total:
            return SpreadResult(seconds=0, reason="no usable state stood for any time")
        return SpreadResult(
            seconds=total / 1e9,
            mean_ticks=units / total / TICK_UNITS,
            mean_bps=bps / total,
            least_ticks=int(np.flatnonzero(self._stood)[0]) / TICK_UNITS,
            one_tick_share=float(self._stood[: TICK_UNITS + 1].sum()) / total,
            quantiles=tuple(self._quantile(share) for share in QUANTILES),
            by_half_hour=tuple(
                HalfHourSpread(
                    half_hour=label(number),
                    seconds=float(row[0]) / 1e9,
                    ticks=float(row[1] / row[0]) / TICK_UNITS,
                    bps=float(row[2] / row[0]),
                )
                for number, row in enumerate(self._half_hours)
                if row[0] > 0
            ),
            distribution=_distribution(self._stood),
        )

    def _add(self, book: BookChunk, weights: Ints64) -> None:
        parts = list(self._hours.parts(book.ts))
        starts = _runs(book, [rows.start for _, rows in parts])
        stood = np.add.reduceat(weights, starts)
        kept = np.flatnonzero(stood)
        starts, stood = starts[kept], stood[kept].astype(np.float64)
        bid, ask = book.bid_px[0][starts].astype(np.int64), book.ask_px[0][starts]
        units = ask - bid
        bps = units * 20_000.0 / (bid + ask)
        self._stood += np.bincount(np.minimum(units, _FINE), stood, _FINE + 1)
        fine = np.minimum(bps * _BPS_PARTS, _BPS_MOST).astype(np.int64)
        self._stood_bps += np.bincount(fine, stood, _BPS_MOST + 1)
        for half_hour, rows in parts:
            inside = slice(*np.searchsorted(starts, (rows.start, rows.stop)))
            stands = stood[inside]
            sums = (
                stands.sum(),
                dot(stands, units[inside].astype(np.float64)),
                dot(stands, bps[inside]),
            )
            self._half_hours[half_hour] += sums

    def _quantile(self, share: float) -> SpreadQuantile:
        return SpreadQuantile(
            share=share,
            ticks=_reached(self._stood, share) / TICK_UNITS,
            bps=_reached(self._stood_bps, share) / _BPS_PARTS,
        )


def _runs(book: BookChunk, borders: list[int]) -> Ints64:
    """Return the first rows of runs of one bid and ask; runs end at the borders too."""
    bid, ask = book.bid_px[0], book.ask_px[0]
    first = np.ones(book.rows, np.bool_)
    np.not_equal(bid[1:], bid[:-1], out=first[1:])
    first[1:] |= ask[1:] != ask[:-1]
    first[borders] = True
    return np.flatnonzero(first)


def _distribution(stood: Floats) -> tuple[SpreadBin, ...]:
    """Put whole ticks together so that 60 bins reach the 99 % quantile; the last is the rest."""
    ticks = -(-_reached(stood, 0.99) // TICK_UNITS)
    width = -(-ticks // _MOST_BINS)
    edges = list(range(0, ticks + width, width))
    # A spread of exactly an edge belongs to the bin that ends there.
    sums = np.concatenate(([0.0], np.cumsum(stood)))
    below = sums[[min(edge * TICK_UNITS, _FINE) + 1 for edge in edges]]
    shares = np.diff(below) / sums[-1]
    bins = [
        SpreadBin(low_ticks=low, high_ticks=high, share=float(share))
        for low, high, share in zip(edges, edges[1:], shares, strict=False)
    ]
    rest = float((sums[-1] - below[-1]) / sums[-1])
    return (*bins, SpreadBin(low_ticks=edges[-1], high_ticks=None, share=rest))


def _reached(table: Floats, share: float) -> int:
    sums = np.cumsum(table)
    return int(np.searchsorted(sums, share * sums[-1] * (1 - 1e-12)))
