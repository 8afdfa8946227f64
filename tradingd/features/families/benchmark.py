"""Features that compare a symbol with the benchmark of `features.benchmark`.

Both need a bar: at moments when both have one, and over the moments before when both had one, log
returns are taken from one such moment to the next. So a halt of the symbol, or a minute without a
trade, makes one longer return of both, never a return of one against nothing of the other.

Sources
-------
Sharpe (1964), "Capital Asset Prices", Journal of Finance 19: beta. Levy (1967), "Relative Strength
as a Criterion for Investment Selection", Journal of Finance 22. Blitz, Huij & Martens (2011),
"Residual Momentum", Journal of Empirical Finance 18.
"""

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from msgspec import Meta

from tradingd.features.feature import CrossFeature, FeatureParams, LiveCross
from tradingd.features.rolling import (
    rolling_covariance,
    rolling_mean,
    rolling_sum,
    rolling_variance,
)
from tradingd.features.series import Floats, Moment, Panel

_STILL: Final = 1e-24
"""Variance of log returns at or below which prices stand still: a tick is 1e-6 of a price."""


class Window(FeatureParams, frozen=True, kw_only=True):
    """How many returns."""

    bars: Annotated[int, Meta(ge=2, description="Returns in the window.")] = 60


class BenchmarkFeature(CrossFeature):
    """Base: what a window of paired log returns says, in arrays and for all symbols at once."""

    Params: ClassVar[type[FeatureParams]] = Window
    inputs = ("close",)
    refers_to_benchmark = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.bars: int = params.bars

    @property
    def memory(self) -> int:
        """Returns in the window; counted are bars of moments when both have one."""
        return self.bars

    def over(self, own: Floats, market: Floats) -> Floats:
        """Return the value at each return of one symbol, nan before the window is full."""
        raise NotImplementedError(type(self).__name__)

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Return the values of full windows, shape (bars, symbols), and their latest returns."""
        raise NotImplementedError(type(self).__name__)

    def batch_panel(self, panel: Panel) -> Floats:
        """Work symbol by symbol on the moments it shares with the benchmark."""
        close = panel.columns["close"]
        found = np.full(close.shape, np.nan)
        if panel.benchmark < 0:
            return found
        market = close[:, panel.benchmark]
        held = np.isfinite(market)
        for column in range(close.shape[1]):
            rows = np.flatnonzero(held & np.isfinite(close[:, column]))
            if len(rows) > self.bars:
                own = _log_returns(close[rows, column])
                found[rows[1:], column] = self.over(own, _log_returns(market[rows]))
        return found

    def live_panel(self, symbols: int) -> LiveCross:
        """Keep the last returns of all symbols."""
        return _PairedLive(self, symbols)


class _PairedLive:
    """Rings of paired returns, one column a symbol; every value is made from its window anew."""

    def __init__(self, feature: BenchmarkFeature, symbols: int) -> None:
        self._feature = feature
        self._own = np.zeros((feature.bars, symbols))
        self._market = np.zeros((feature.bars, symbols))
        self._seen = np.zeros(symbols, dtype=np.int64)
        self._last_own = np.full(symbols, np.nan)
        self._last_market = np.full(symbols, np.nan)
        self._benchmark = -1

    def update(self, moment: Moment) -> Floats:
        found = np.full(len(self._seen), np.nan)
        close = moment.columns["close"]
        self._benchmark = moment.benchmark
        if moment.benchmark < 0 or not np.isfinite(market := close[moment.benchmark]):
            return found
        both = np.flatnonzero(np.isfinite(close))
        known = both[np.isfinite(self._last_own[both])]
        own = np.log(close[known] / self._last_own[known])
        paired = np.log(market / self._last_market[known])
        row = self._seen[known] % len(self._own)
        self._own[row, known] = own
        self._market[row, known] = paired
        self._seen[known] += 1
        self._last_own[both] = close[both]
        self._last_market[both] = market
        full = self._seen[known] >= len(self._own)
        if full.all() and len(known) == len(found):
            return self._feature.of_windows(self._own, self._market, own, paired)
        ready = known[full]
        found[ready] = self._feature.of_windows(
            self._own[:, ready], self._market[:, ready], own[full], paired[full]
        )
        return found

    def rescale(self, column: int, factor: float) -> None:
        self._last_own[column] *= factor
        if column == self._benchmark:
            self._last_market *= factor


class Beta(BenchmarkFeature):
    """``cov(own, market) / var(market)``; nan while the benchmark stands still."""

    kind = "beta"
    summary = "Slope of the symbol's returns on the benchmark's"
    source = "Sharpe (1964), Journal of Finance 19"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Regress over each window."""
        return rolling_covariance(own, market, self.bars) / _moving(
            rolling_variance(market, self.bars)
        )

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Regress every column."""
        return _covariance(own, market) / _moving(_covariance(market, market))


class Correlation(BenchmarkFeature):
    """Pearson's, -1 to 1; nan while one of the two stands still."""

    kind = "correlation"
    summary = "Correlation of the symbol's returns with the benchmark's"
    source = "Sharpe (1964), Journal of Finance 19"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Correlate over each window."""
        size = np.sqrt(_moving(rolling_variance(own, self.bars))) * np.sqrt(
            _moving(rolling_variance(market, self.bars))
        )
        return _bounded(rolling_covariance(own, market, self.bars) / size)

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Correlate every column."""
        size = np.sqrt(_moving(_covariance(own, own))) * np.sqrt(
            _moving(_covariance(market, market))
        )
        return _bounded(_covariance(own, market) / size)


class RelativeStrength(BenchmarkFeature):
    """The symbol's log return over the window less the benchmark's."""

    kind = "relative_strength"
    summary = "Log return over the window less the benchmark's"
    source = "Levy (1967), Journal of Finance 22"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Add up the differences."""
        return rolling_sum(own - market, self.bars)

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Add up every column."""
        return np.asarray((own - market).sum(axis=0))


class ResidualReturn(BenchmarkFeature):
    """``own - beta * market`` of the latest return, beta over the window that ends with it."""

    kind = "residual_return"
    summary = "Latest log return that the benchmark's, times beta, does not explain"
    source = "Blitz, Huij & Martens (2011), Journal of Empirical Finance 18"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Subtract what the window's beta explains."""
        beta = rolling_covariance(own, market, self.bars) / _moving(
            rolling_variance(market, self.bars)
        )
        return own - beta * market

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Subtract column by column."""
        beta = _covariance(own, market) / _moving(_covariance(market, market))
        return own_last - beta * last


class BenchmarkReturn(BenchmarkFeature):
    """The benchmark's own log return over the window."""

    kind = "benchmark_return"
    summary = "Log return of the benchmark over the window"
    source = "Sharpe (1964), Journal of Finance 19"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Add up its returns."""
        return rolling_sum(market, self.bars)

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Add up every column."""
        return np.asarray(market.sum(axis=0))


class BenchmarkVolatility(BenchmarkFeature):
    """Deviation of the benchmark's log returns (sample), per return."""

    kind = "benchmark_volatility"
    summary = "Deviation of the benchmark's log returns over the window"
    source = "Sharpe (1964), Journal of Finance 19"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Measure over each window."""
        return np.sqrt(rolling_variance(market, self.bars))

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Measure every column."""
        return np.sqrt(_covariance(market, market))


class InformationRatio(BenchmarkFeature):
    """Mean over the window of ``own - market``, over its deviation: an information ratio."""

    kind = "information_ratio"
    summary = "Mean log return above the benchmark's, over the deviation of the difference"
    source = "Grinold & Kahn (2000), Active Portfolio Management, ch. 5"

    def over(self, own: Floats, market: Floats) -> Floats:
        """Measure over each window; nan for the benchmark itself."""
        active = own - market
        return rolling_mean(active, self.bars) / np.sqrt(
            _moving(rolling_variance(active, self.bars))
        )

    def of_windows(self, own: Floats, market: Floats, own_last: Floats, last: Floats) -> Floats:
        """Measure every column."""
        active = own - market
        return active.mean(axis=0) / np.sqrt(_moving(_covariance(active, active)))


def _log_returns(close: Floats) -> Floats:
    return np.log(close[1:] / close[:-1])


def _moving(variance: Floats) -> Floats:
    """Return variances, nan where nothing moved."""
    return np.where(variance > _STILL, variance, np.nan)


def _bounded(correlation: Floats) -> Floats:
    return np.asarray(np.clip(correlation, -1.0, 1.0))


def _covariance(first: Floats, second: Floats) -> Floats:
    """Return sample covariances of columns."""
    ahead = first - first.mean(axis=0)
    behind = ahead if first is second else second - second.mean(axis=0)
    return np.asarray((ahead * behind).sum(axis=0) / (len(first) - 1))
