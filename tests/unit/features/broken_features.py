"""Features as a person may write them, each wrong in one way."""

from math import nan

import numpy as np

from tradingd.features.feature import CrossFeature, Feature, FeatureParams, Live, LiveCross
from tradingd.features.series import Floats, LiveBar, Moment, Panel, Series


class Settings(FeatureParams, frozen=True, kw_only=True):
    bars: int = 1


class _Step:
    """Close over the close before, less one."""

    def __init__(self) -> None:
        self.last = nan

    def update(self, bar: LiveBar) -> float:
        before, self.last = self.last, bar.close
        return bar.close / before - 1

    def rescale(self, factor: float) -> None:
        self.last *= factor


class Right(Feature):
    """Nothing is wrong with this one."""

    Params = Settings
    memory = 1

    def batch(self, series: Series) -> Floats:
        return series.close / np.append(nan, series.close[:-1]) - 1

    def live(self) -> Live:
        return _Step()


class Peeks(Right):
    """Knows the next bar, in the batch alone: live it cannot."""

    def batch(self, series: Series) -> Floats:
        return np.append(series.close[1:], nan) / series.close - 1


class PeeksAtTheMean(Right):
    """Subtracts the mean of all bars, those to come included; the live one knows it too."""

    def batch(self, series: Series) -> Floats:
        values = super().batch(series)
        return values - np.nanmean(values) * 0.001


class DiffersWithoutTrades(Right):
    """The batch alone says that nothing moved in a bar without trades."""

    def batch(self, series: Series) -> Floats:
        return np.where(series.volume == 0, 0.0, super().batch(series))


class InDollars(Right):
    """The difference of prices: another one after a split."""

    def batch(self, series: Series) -> Floats:
        return np.append(nan, np.diff(series.close))

    def live(self) -> Live:
        class Difference(_Step):
            def update(self, bar: LiveBar) -> float:
                before, self.last = self.last, bar.close
                return bar.close - before

        return Difference()


class ForgetsSplits(Right):
    """The live one keeps its old prices over a split."""

    def live(self) -> Live:
        class Deaf(_Step):
            def rescale(self, factor: float) -> None:
                pass

        return Deaf()


class LongMemory(Right):
    """A sum over everything that ever was, said to forget after one bar."""

    def batch(self, series: Series) -> Floats:
        return np.nancumsum(super().batch(series))

    def live(self) -> Live:
        class Sum(_Step):
            total = 0.0

            def update(self, bar: LiveBar) -> float:
                step = super().update(bar)
                self.total += 0.0 if np.isnan(step) else step
                return self.total

        return Sum()


class Raises(Right):
    """Breaks at a bar without volume."""

    def batch(self, series: Series) -> Floats:
        if (series.volume == 0).any():
            raise ZeroDivisionError("no volume")
        return super().batch(series)


class RaisesLive(Right):
    """Breaks bar by bar only."""

    def live(self) -> Live:
        class Broken(_Step):
            def update(self, bar: LiveBar) -> float:
                raise KeyError(bar.session)

        return Broken()


class Infinite(Right):
    """Divides by the change of the close, both ways."""

    def batch(self, series: Series) -> Floats:
        return 1 / super().batch(series)

    def live(self) -> Live:
        class Inverse(_Step):
            def update(self, bar: LiveBar) -> float:
                step = super().update(bar)
                return np.inf if step == 0 else 1 / step

        return Inverse()


class SeesTheLastMoment(CrossFeature):
    """Compares with the last moment of the panel."""

    memory = 0

    def batch_panel(self, panel: Panel) -> Floats:
        close = panel.columns["close"]
        return close / close[-1:]

    def live_panel(self, symbols: int) -> LiveCross:
        class One:
            def update(self, moment: Moment) -> Floats:
                return moment.columns["close"] / moment.columns["close"]

            def rescale(self, column: int, factor: float) -> None:
                pass

        return One()
