"""The signals of a strategy's own rule, whose rightness a meta-label is about."""

from typing import Protocol

import numpy as np

from tradingd.config.strategy import (
    EmaCross,
    IntradayMeanReversion,
    StrategyBase,
    StrategyConfig,
    SwingTrend,
    members,
)
from tradingd.config.training import MetaLabel
from tradingd.features.series import Integers, Series
from tradingd.strategies.watch import (
    CrossWatch,
    MeanReversionWatch,
    Signal,
    SwingWatch,
    WatchedBar,
)

_SIDES = {"BUY": 1, "SELL": -1}


class _Watch(Protocol):
    def update(self, bar: WatchedBar) -> Signal | None: ...


def sides(label: MetaLabel, strategy: StrategyConfig, series: Series) -> Integers:
    """Return 1 where the rule would buy at a bar's close, -1 where it would sell short, else 0."""
    watch = _watch(label, strategy)
    found = np.zeros(len(series), dtype=np.int64)
    opens = np.diff(series.session, prepend=-2) != 0
    columns = (series.high, series.low, series.close, series.volume, opens, series.to_close)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for place, bar in enumerate(map(WatchedBar._make, rows)):
        signal = watch.update(bar)
        if signal is not None:
            found[place] = _SIDES.get(signal.action, 0)
    return found


def _watch(label: MetaLabel, strategy: StrategyConfig) -> _Watch:
    if label.rule == "swing_trend":
        return SwingWatch(_settings(strategy, SwingTrend) or SwingTrend())
    if label.rule == "ema_cross":
        return CrossWatch(_settings(strategy, EmaCross) or EmaCross())
    return MeanReversionWatch(_settings(strategy, IntradayMeanReversion) or IntradayMeanReversion())


def _settings[S: StrategyBase](strategy: StrategyConfig, kind: type[S]) -> S | None:
    return next((one for one in members(strategy) if isinstance(one, kind)), None)
