"""Let the real backtest, with its costs and limits, judge predictions that were out of sample."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from tradingd.app.backtest import BacktestResult, backtest
from tradingd.config.identity import config_hash, effective_tree
from tradingd.config.load import Loaded
from tradingd.config.mode import BacktestMode
from tradingd.config.model import NoModel, Predictions
from tradingd.config.paths import results_root
from tradingd.config.strategy import ModelSignal, ModelUse, SeveralStrategies, StrategyBase
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Floats
from tradingd.learning.report import Curve, Interval
from tradingd.results.catalog import find_run
from tradingd.results.tables import DailyEquity, daily_equity, read

type Progress = Callable[[int, int], None]


class Judgement(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a backtest of predictions showed; `returns` are daily, after all costs."""

    run: str
    strategy: str
    metrics: dict[str, Interval]
    days: tuple[dt.date, ...]
    returns: Floats
    curve: Curve


def judge(
    loaded: Loaded,
    predictions: Path,
    first: dt.date,
    last: dt.date,
    progress: Progress = lambda _done, _all: None,
) -> Judgement:
    """Trade predictions from `first` to `last` with the configured strategy.

    Raises
    ------
    Failure
        CONFIG when the strategy does not ask a model.
    """
    require_model_use(loaded.config.strategy)
    asked = _over(loaded, first, last, model=Predictions(path=str(predictions)))
    return _run(asked, "with the model", progress)


def judge_rules(
    loaded: Loaded, first: dt.date, last: dt.date, progress: Progress = lambda _done, _all: None
) -> Judgement | None:
    """Trade the same days by the strategy's rules alone; None where it has none without a model."""
    strategy = loaded.config.strategy
    if isinstance(strategy, SeveralStrategies | ModelSignal) or strategy.use_model is None:
        return None
    alone = msgspec.structs.replace(strategy, use_model=None)
    return _run(
        _over(loaded, first, last, model=NoModel(), strategy=alone), "rules alone", progress
    )


def require_model_use(strategy: StrategyBase) -> ModelUse | None:
    """Refuse a strategy that would not notice the model it is to judge."""
    if getattr(strategy, "asks_model", False) or strategy.use_model is not None:
        return strategy.use_model
    raise Failure(
        "the strategy that is to judge the model does not ask it",
        code=ExitCode.CONFIG,
        where="strategy.use_model",
        expected="a strategy that trades on predictions",
        found=str(strategy.__struct_config__.tag),
        next_step="strategy=model_signal, or strategy=swing_trend_ml, or set strategy.use_model",
    )


def reconfigured(loaded: Loaded, config: SystemConfig) -> Loaded:
    """Return another configuration with the identity of its own."""
    tree = effective_tree(config)
    return Loaded(config=config, hash=config_hash(tree), tree=tree)


def _over(loaded: Loaded, first: dt.date, last: dt.date, **groups: object) -> Loaded:
    config = loaded.config
    assert isinstance(config.mode, BacktestMode)
    mode = msgspec.structs.replace(config.mode, start=first, end=last)
    return reconfigured(loaded, msgspec.structs.replace(config, mode=mode, **groups))


def _run(loaded: Loaded, name: str, progress: Progress) -> Judgement:
    result = backtest(loaded, progress)
    config = loaded.config
    assert isinstance(config.mode, BacktestMode)
    folder = find_run(results_root(config), result.run_id)
    daily = daily_equity(read(folder, "equity", ["ts", "equity"]))
    cash = float(config.mode.cash)
    return Judgement(
        run=result.run_id,
        strategy=str(config.strategy.__struct_config__.tag),
        metrics=_metrics(result),
        days=daily.days,
        returns=daily.returns(cash) if daily.days else np.empty(0),
        curve=_curve(name, daily, cash),
    )


def _metrics(result: BacktestResult) -> dict[str, Interval]:
    metrics = result.metrics
    returns, trades, luck = metrics.returns, metrics.trades, metrics.luck
    plain: Mapping[str, float | None] = {
        "net_return_percent": _percent(returns.total_return),
        "annual_volatility_percent": _percent(returns.annual_volatility),
        "max_drawdown_percent": _percent(returns.max_drawdown, sign=-1.0),
        "win_rate": None if trades.win_rate is None else float(trades.win_rate),
        "trades": float(trades.trips),
        "days": float(metrics.account.sessions),
        "turnover": None if trades.turnover is None else float(trades.turnover),
        "fees_usd": float(metrics.costs.commission),
        "slippage_usd": float(metrics.costs.slippage),
        "denied": float(sum(metrics.denials.values())),
        "exposure_percent": _percent(trades.exposure_time),
    }
    found = {name: Interval(value=value) for name, value in plain.items()}
    sharpe = Interval(value=returns.sharpe, low=luck.sharpe_low, high=luck.sharpe_high)
    return {"sharpe": sharpe, **found}


def _percent(value: float | None, sign: float = 1.0) -> float | None:
    return None if value is None else round(sign * float(value) * 100, 9) + 0.0


def _curve(name: str, daily: DailyEquity, cash: float) -> Curve:
    return Curve(name=name, days=daily.days, equity=tuple((daily.equity / cash).tolist()))
