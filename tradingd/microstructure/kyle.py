"""Kyle's lambda: how far a mid moves for a share of net buying.

Kyle (1985), "Continuous Auctions and Insider Trading", Econometrica 53(6): the slope of price
changes on net order flow, estimated as is usual (Hasbrouck 2009, "Trading Costs and Returns for
U.S. Equities", Journal of Finance 64(3)) by regression over intervals. Dependent: change of the mid
in ticks of one cent; regressor: shares bought less sold, in 1,000. Trades of unknown side are left
out.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, TradeChunk
from tradingd.microstructure.halfhours import HalfHours
from tradingd.microstructure.intervals import TICK_UNITS, intervals
from tradingd.microstructure.mids import Mids
from tradingd.microstructure.regression import Fit, fit
from tradingd.microstructure.signs import SignCounts
from tradingd.microstructure.tape import Tape

HORIZONS_S: Final = (60, 300)
_NONE = np.empty(0, np.int64)


class Lambda(msgspec.Struct, frozen=True, kw_only=True):
    """One regression; `dollars_per_share` is its slope in those units."""

    seconds: int
    fit: Fit
    dollars_per_share: float | None = None


class KyleResult(msgspec.Struct, frozen=True, kw_only=True):
    """Lambda by length of interval; `unknown_shares` could not be signed."""

    horizons: tuple[Lambda, ...] = ()
    unknown_shares: int = 0
    signs: SignCounts = SignCounts()
    reason: str = ""


class Kyle:
    """Reduce mids and signed volume to seconds; fit when asked."""

    def __init__(self, hours: HalfHours, *, horizons_s: Sequence[int] = HORIZONS_S) -> None:
        self._hours = hours
        self._horizons = tuple(horizons_s)
        self._mids = Mids()
        self._tape = Tape()

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        self._mids.feed(book, trades)
        self._tape.feed(book, trades)

    def result(self) -> KyleResult:
        """Fit what there is so far."""
        seconds, volume = self._tape.volume()
        if not len(seconds):
            return KyleResult(reason="there were no trades")
        return KyleResult(
            horizons=tuple(map(self._horizon, self._horizons)),
            unknown_shares=int(volume[:, 2].sum()),
            signs=self._tape.counts(),
        )

    def _horizon(self, horizon: int) -> Lambda:
        cut = intervals(horizon, self._mids, self._hours, gaps=(_NONE, _NONE))
        volume = cut.sums(*self._tape.volume())
        signed = (volume[:, 0] - volume[:, 1]) / 1_000
        found = fit(cut.change[cut.use], signed[cut.use])
        slope = found.slopes[0] * TICK_UNITS / 10_000 / 1_000 if found.slopes else None
        return Lambda(seconds=horizon, fit=found, dollars_per_share=slope)
