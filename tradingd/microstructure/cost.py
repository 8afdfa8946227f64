"""What a trade cost whoever wanted it done: effective and realised spread, and price impact.

With sign s (+1 buyer), price p, mid m before the trade and mid m' some time after it (Huang &
Stoll 1996, "Dealer versus auction markets", Journal of Financial Economics 41; Hendershott, Jones
& Menkveld 2011, "Does Algorithmic Trading Improve Liquidity?", Journal of Finance 66)::

    effective = 2 s (p - m)     realised = 2 s (p - m')     impact = 2 s (m' - m)

so effective = realised + impact on the same trades. Full spreads, in ticks of one cent and in basis
points of m. Left out and counted: trades without a sign, and without a usable quote before.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.asof import AsOf
from tradingd.microstructure.halfhours import COUNT, HalfHours, label
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.signs import NO_QUOTE, SignCounts, TradeSigns
from tradingd.microstructure.states import Floats, twice_mid

LAGS_S: Final = (5, 60)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Averages over trades; None where there were none.

    `ticks` and `bps` weigh by size, `ticks_equal` counts each trade alike.
    """

    trades: int
    shares: int
    ticks: float | None = None
    bps: float | None = None
    ticks_equal: float | None = None


class LagCost(msgspec.Struct, frozen=True, kw_only=True):
    """Costs some seconds later, on the trades whose later mid is known.

    `beyond_end`: trades left out because the source ends earlier.
    """

    seconds: int
    effective: Cost
    realised: Cost
    impact: Cost
    beyond_end: int


class HalfHourCost(msgspec.Struct, frozen=True, kw_only=True):
    """Effective spread of the trades of a half hour."""

    half_hour: str
    effective: Cost


class CostResult(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of all trades."""

    effective: Cost = Cost(trades=0, shares=0)
    by_lag: tuple[LagCost, ...] = ()
    by_half_hour: tuple[HalfHourCost, ...] = ()
    signs: SignCounts = SignCounts()
    without_quote: int = 0
    reason: str = ""


class _Sum:
    """Sums of one spread over trades."""

    def __init__(self) -> None:
        self._trades = self._shares = self._units = self._weighted = 0
        self._relative = 0.0

    def add(self, units: Ints64, sizes: Ints64, mids: Ints64) -> None:
        """Take (m,) spreads in 1/10,000 dollar, shares, and twice the mid before."""
        weighted = units * sizes
        self._trades += len(units)
        self._shares += int(sizes.sum())
        self._units += int(units.sum())
        self._weighted += int(weighted.sum())
        relative: Floats = weighted / mids
        self._relative += float(relative.sum())

    def cost(self) -> Cost:
        """Return the averages."""
        if not self._shares:
            return Cost(trades=self._trades, shares=0)
        return Cost(
            trades=self._trades,
            shares=self._shares,
            ticks=self._weighted / self._shares / TICK_UNITS,
            bps=self._relative / self._shares * 2 * 10_000,
            ticks_equal=self._units / self._trades / TICK_UNITS,
        )

    def copy(self) -> "_Sum":
        """Return the same sums, apart."""
        twin = _Sum()
        twin.__dict__.update(self.__dict__)
        return twin


class Costs:
    """Sum spreads as trades and later mids come."""

    def __init__(self, hours: HalfHours, *, lags_s: tuple[int, ...] = LAGS_S) -> None:
        self._hours = hours
        self._lags = lags_s
        self._signs = TradeSigns()
        self._asof = AsOf(
            [lag * NANOSECONDS for lag in lags_s], lambda book, rows: twice_mid(book, rows)[:, None]
        )
        self._effective = _Sum()
        self._by_half_hour = [_Sum() for _ in range(COUNT)]
        self._by_lag = [[_Sum(), _Sum(), _Sum()] for _ in lags_s]
        self._without_quote = 0

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        signs, mids = self._signs.feed(book, trades)
        self._without_quote += int(((mids == NO_QUOTE) & (signs != 0)).sum())
        fine = np.flatnonzero((signs != 0) & (mids != NO_QUOTE))
        columns = (signs[fine], trades.price[fine], trades.size[fine], mids[fine])
        payload = np.column_stack([np.asarray(column, np.int64) for column in columns])
        ts = trades.ts[fine]
        _effective(self._effective, payload)
        for half_hour, rows in self._hours.parts(ts):
            _effective(self._by_half_hour[half_hour], payload[rows])
        for number, known, later in self._asof.feed(book, ts, payload):
            _later(self._by_lag[number], known, later[:, 0])

    def result(self) -> CostResult:
        """Return the averages so far."""
        by_lag = [[each.copy() for each in sums] for sums in self._by_lag]
        for number, known, later in self._asof.rest():
            _later(by_lag[number], known, later[:, 0])
        effective = self._effective.cost()
        return CostResult(
            effective=effective,
            by_lag=tuple(
                LagCost(
                    seconds=lag,
                    effective=sums[0].cost(),
                    realised=sums[1].cost(),
                    impact=sums[2].cost(),
                    beyond_end=beyond,
                )
                for lag, sums, beyond in zip(
                    self._lags, by_lag, self._asof.unanswered(), strict=True
                )
            ),
            by_half_hour=tuple(
                HalfHourCost(half_hour=label(number), effective=found)
                for number, sums in enumerate(self._by_half_hour)
                if (found := sums.cost()).trades
            ),
            signs=self._signs.counts(),
            without_quote=self._without_quote,
            reason="" if effective.trades else "no trade has both a sign and a quote before it",
        )


def _effective(into: _Sum, payload: Ints64) -> None:
    sign, price, size, mid = payload.T
    into.add(sign * (2 * price - mid), size, mid)


def _later(into: list[_Sum], payload: Ints64, later: Ints64) -> None:
    sign, price, size, mid = payload.T
    _effective(into[0], payload)
    into[1].add(sign * (2 * price - later), size, mid)
    into[2].add(sign * (later - mid), size, mid)
