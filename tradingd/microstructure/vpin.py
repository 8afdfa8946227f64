"""VPIN: the share of volume that is one-sided, in buckets of equal volume.

Easley, Lopez de Prado & O'Hara (2012), "Flow Toxicity and Liquidity in a High-frequency World",
Review of Financial Studies 25(5): 50 buckets of a fiftieth of the day's volume; in each the
absolute difference of shares bought and sold; VPIN is its mean over 50 buckets, divided by the size
of a bucket. So one day has one full window; the mean over the last 10 buckets is told as a path.

Buys and sells are told twice. Bulk: a one-minute bar's volume is split by the normal distribution
function of its price change over the standard deviation of all such changes (of the whole source:
known only afterwards, as in the paper). Signed: by each trade's own sign (told or inferred); volume
of unknown side counts half and half. A bar that fills a bucket is divided in proportion.
"""

from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.signs import SignCounts
from tradingd.microstructure.states import Floats
from tradingd.microstructure.tape import Tape

BUCKETS: Final = 50
WINDOW: Final = 10
BAR_S: Final = 60
_LEAST_BARS: Final = 10


class BucketPoint(msgspec.Struct, frozen=True, kw_only=True):
    """When a bucket was full (Unix seconds), its imbalance, and the mean over the last ten."""

    ts_s: int
    imbalance: float
    mean: float | None


class Toxicity(msgspec.Struct, frozen=True, kw_only=True):
    """VPIN by one way of telling buys from sells; between 0 and 1."""

    vpin: float | None = None
    buckets: tuple[BucketPoint, ...] = ()
    reason: str = ""


class VpinResult(msgspec.Struct, frozen=True, kw_only=True):
    """VPIN by both ways."""

    shares: int = 0
    bucket_shares: float | None = None
    bars: int = 0
    bulk: Toxicity = Toxicity(reason="there were no trades")
    signed: Toxicity = Toxicity(reason="there were no trades")
    signs: SignCounts = SignCounts()
    reason: str = ""


class Vpin:
    """Reduce trades to seconds; fill buckets when asked, for only then is their size known."""

    def __init__(self) -> None:
        self._tape = Tape()

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        self._tape.feed(book, trades)

    def result(self) -> VpinResult:
        """Return VPIN of what there is so far."""
        seconds, sides = self._tape.volume()
        volume = sides.sum(axis=1)
        shares = int(volume.sum())
        if not shares:
            return VpinResult(reason="there were no trades")
        bought = sides[:, 0] + sides[:, 2] / 2
        minutes, bars, buys, reason = self._bulk(seconds, volume)
        return VpinResult(
            shares=shares,
            bucket_shares=shares / BUCKETS,
            bars=len(minutes),
            bulk=Toxicity(reason=reason) if reason else _fill(minutes, bars, buys),
            signed=_fill(seconds, volume, bought),
            signs=self._tape.counts(),
        )

    def _bulk(self, seconds: Ints64, volume: Ints64) -> tuple[Ints64, Ints64, Floats, str]:
        """Return (bars,) ends in Unix seconds, shares, shares bought; or why there are none."""
        minute = -(-seconds // BAR_S) * BAR_S
        ends, first = np.unique(minute, return_index=True)
        bars = np.add.reduceat(volume, first)
        _, prices = self._tape.prices()
        closes = prices[np.append(first[1:], len(prices)) - 1]
        change = np.diff(closes, prepend=prices[0]).astype(np.float64)
        scale = float(change.std())
        if len(ends) < _LEAST_BARS or scale == 0:
            reason = f"{len(ends)} minutes with trades; {_LEAST_BARS} with changes are the least"
            return ends, bars, change, reason
        normal = NormalDist()
        return ends, bars, bars * np.array([normal.cdf(value / scale) for value in change]), ""


def _fill(ends: Ints64, volume: Ints64, bought: Floats) -> Toxicity:
    """Fill 50 buckets from bars; volume within a bar is spread evenly over it."""
    filled = np.concatenate(([0.0], np.cumsum(volume)))
    marks = filled[-1] * np.arange(BUCKETS + 1) / BUCKETS
    buys = np.interp(marks, filled, np.concatenate(([0.0], np.cumsum(bought))))
    size = filled[-1] / BUCKETS
    imbalance = np.abs(2 * np.diff(buys) - size) / size
    when = ends[np.minimum(np.searchsorted(filled[1:], marks[1:]), len(ends) - 1)]
    means = np.convolve(imbalance, np.ones(WINDOW) / WINDOW, "valid")
    points = tuple(
        BucketPoint(
            ts_s=int(when[number]),
            imbalance=float(imbalance[number]),
            mean=float(means[number - WINDOW + 1]) if number + 1 >= WINDOW else None,
        )
        for number in range(BUCKETS)
    )
    return Toxicity(vpin=float(imbalance.mean()), buckets=points)
