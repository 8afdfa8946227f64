"""Price impact: changes of the mid regressed on order flow.

Cont, Kukanov & Stoikov (2014): the change of the mid over an interval is linear in its order-flow
imbalance at the best level; signed trade volume explains less. Contemporaneous: change and OFI of
the same interval. Predictive: the change of the next interval on the OFI of this one. Multi-level:
all levels as regressors (Xu, Gould & Howison 2018, plain least squares here), and their first
principal component (`integrated`).

Units: changes in ticks of one cent; OFI and trade imbalance in 1,000 shares; integrated OFI in
average depths.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.halfhours import HalfHours, label
from tradingd.microstructure.integrated import Component, component, normalised
from tradingd.microstructure.intervals import LONGEST_DAYS, Intervals, intervals
from tradingd.microstructure.mids import Mids
from tradingd.microstructure.ofi import OrderFlow
from tradingd.microstructure.regression import Fit, fit
from tradingd.microstructure.states import Floats
from tradingd.microstructure.tape import Tape
from tradingd.microstructure.thin import Points, thin

THOUSAND = 1_000


class HalfHourFit(msgspec.Struct, frozen=True, kw_only=True):
    """The contemporaneous regression within one half hour of the New York day."""

    half_hour: str
    fit: Fit


class LevelsFit(msgspec.Struct, frozen=True, kw_only=True):
    """How much the OFI of the best `levels` levels explains, each with a slope of its own."""

    levels: int
    n: int
    r2: float | None = None
    r2_adjusted: float | None = None
    reason: str = ""


class HorizonImpact(msgspec.Struct, frozen=True, kw_only=True):
    """All regressions of one horizon.

    Attributes
    ----------
    seconds : int
        Length of an interval.
    observations : int
        Intervals that count.
    left_out_for_gaps : int
        Intervals in which records were lost.
    regular_hours_only : bool
        Whether only 09:30-16:00 New York counts.
    contemporaneous, predictive : Fit
        On the best level's OFI.
    multi_level, integrated : Fit
        On all levels' OFI, and on their first component (contemporaneous).
    integrated_predictive : Fit
        The next change on this interval's first component.
    trade_imbalance, both : Fit
        On signed volume, and on OFI (first slope) and signed volume (second) together.
    by_half_hour : tuple of HalfHourFit
        Contemporaneous, best level; only half hours with observations.
    scatter : Points
        x: OFI, y: change of the mid; thinned.
    by_levels : tuple of LevelsFit
        The contemporaneous regression on 1, 2, ... levels.
    """

    seconds: int
    observations: int
    left_out_for_gaps: int
    regular_hours_only: bool
    contemporaneous: Fit
    predictive: Fit
    multi_level: Fit
    integrated: Fit
    integrated_predictive: Fit
    component: Component
    trade_imbalance: Fit
    both: Fit
    by_half_hour: tuple[HalfHourFit, ...]
    scatter: Points
    by_levels: tuple[LevelsFit, ...] = ()


class ImpactResult(msgspec.Struct, frozen=True, kw_only=True):
    """Regressions by horizon; `reason` where there are none."""

    horizons: tuple[HorizonImpact, ...]
    reason: str = ""


class Impact:
    """Reduce flow, mids and trades to seconds; fit when asked.

    Parameters
    ----------
    levels : int
        Levels of the multi-level OFI.
    horizons_s : sequence of int
        Lengths of intervals, whole seconds.
    hours : HalfHours
        The New York day.
    has_trades : bool
        Whether the source can tell trades; without them their regressions say so.
    """

    def __init__(
        self, levels: int, horizons_s: Sequence[int], hours: HalfHours, *, has_trades: bool
    ) -> None:
        self.flow = OrderFlow(levels)
        self.mids = Mids(levels)
        self.tape = Tape()
        self._horizons = tuple(horizons_s)
        self._hours = hours
        self._has_trades = has_trades

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        self.flow.feed(book, trades)
        self.mids.feed(book, trades)
        if self._has_trades:
            self.tape.feed(book, trades)

    def result(self) -> ImpactResult:
        """Fit what there is so far."""
        seconds, _ = self.mids.seconds()
        if not len(seconds):
            return ImpactResult(horizons=(), reason="no state has a bid below an ask")
        if seconds[-1] - seconds[0] > LONGEST_DAYS * 86_400:
            return ImpactResult(horizons=(), reason=f"spans more than {LONGEST_DAYS} days")
        return ImpactResult(horizons=tuple(map(self._horizon, self._horizons)))

    def _horizon(self, horizon: int) -> HorizonImpact:
        seconds, shares, gaps = self.flow.seconds()
        cut = intervals(horizon, self.mids, self._hours, gaps=(seconds, gaps))
        flow = cut.sums(seconds, shares)
        best = flow[:, 0] / THOUSAND
        scaled = normalised(flow, cut.sums(*self.mids.depth()), self.flow.levels)
        weights = component(scaled, cut.use)
        return HorizonImpact(
            seconds=horizon,
            observations=int(cut.use.sum()),
            left_out_for_gaps=cut.gaps,
            regular_hours_only=cut.regular,
            contemporaneous=_same(cut, best),
            predictive=_next(cut, best),
            multi_level=_same(cut, flow / THOUSAND),
            integrated=_integrated(cut, scaled, weights, ahead=False),
            integrated_predictive=_integrated(cut, scaled, weights, ahead=True),
            component=weights,
            **self._trades(cut, best),
            by_half_hour=tuple(_seasons(cut, best)),
            scatter=thin(best[cut.use], cut.change[cut.use]),
            by_levels=tuple(
                _of_levels(cut, flow[:, :levels]) for levels in range(1, self.flow.levels + 1)
            ),
        )

    def _trades(self, cut: Intervals, best: Floats) -> dict[str, Fit]:
        if not self._has_trades:
            none = Fit(n=0, reason="the source has no trades")
            return {"trade_imbalance": none, "both": none}
        volume = cut.sums(*self.tape.volume())
        signed = (volume[:, 0] - volume[:, 1]) / THOUSAND
        return {
            "trade_imbalance": _same(cut, signed),
            "both": _same(cut, np.column_stack((best, signed))),
        }


def _same(cut: Intervals, regressors: Floats) -> Fit:
    return fit(cut.change[cut.use], regressors[cut.use])


def _of_levels(cut: Intervals, flow: Ints64) -> LevelsFit:
    found = _same(cut, flow / THOUSAND)
    return LevelsFit(
        levels=flow.shape[1],
        n=found.n,
        r2=found.r2,
        r2_adjusted=found.r2_adjusted,
        reason=found.reason,
    )


def _next(cut: Intervals, regressors: Floats) -> Fit:
    """Regress the change of the following interval, where both count."""
    pairs = cut.use[:-1] & cut.use[1:]
    return fit(cut.change[1:][pairs], regressors[:-1][pairs])


def _integrated(cut: Intervals, scaled: Floats, weights: Component, *, ahead: bool) -> Fit:
    if not weights.weights:
        return Fit(n=int(cut.use.sum()), reason=weights.reason)
    values = scaled @ np.array(weights.weights)
    return _next(cut, values) if ahead else _same(cut, values)


def _seasons(cut: Intervals, best: Floats) -> list[HalfHourFit]:
    fits = []
    for half_hour in np.unique(cut.half_hour[cut.use]):
        rows = cut.use & (cut.half_hour == half_hour)
        fits.append(
            HalfHourFit(half_hour=label(int(half_hour)), fit=fit(cut.change[rows], best[rows]))
        )
    return fits
