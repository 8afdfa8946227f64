"""Build the strategy that the configuration names."""

import importlib
from typing import TYPE_CHECKING, Final, cast

from tradingd.config.strategy import CustomStrategy, StrategyConfig

if TYPE_CHECKING:
    from tradingd.engine.strategy import Strategy

_STRATEGIES: Final = {
    "ema_cross": "tradingd.strategies.ema_cross:EmaCross",
    "intraday_mean_reversion": (
        "tradingd.strategies.intraday_mean_reversion.strategy:IntradayMeanReversion"
    ),
    "swing_trend": "tradingd.strategies.swing_trend.strategy:SwingTrend",
    "book_imbalance": "tradingd.strategies.book_imbalance.strategy:BookImbalance",
    "model_signal": "tradingd.strategies.model_signal:ModelSignal",
    "buy_and_hold": "tradingd.strategies.buy_and_hold:BuyAndHold",
}


def make_strategy(config: StrategyConfig) -> "Strategy":
    """Return a fresh strategy with its settings.

    Raises
    ------
    Failure
        CONFIG when a custom strategy cannot be imported, is no strategy, or refuses its params;
        STRATEGY_FAILED when its constructor raises.
    """
    if isinstance(config, CustomStrategy):
        from tradingd.strategies.custom import make_custom

        return make_custom(config)
    module, _, name = _STRATEGIES[str(config.__struct_config__.tag)].partition(":")
    factory = getattr(importlib.import_module(module), name)
    return cast("Strategy", factory(config))
