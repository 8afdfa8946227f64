"""Which class computes a kind; imported when it is used."""

import importlib
from typing import Final

from tradingd.features.feature import Feature, FeatureParams
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.kits.own_code import import_own

_FAMILIES: Final = "tradingd.features.families"

KINDS: Final[dict[str, str]] = {
    "return": "returns:Return",
    "log_return": "returns:LogReturn",
    "roc": "returns:Roc",
    "gap": "returns:Gap",
    "price_ratio": "returns:PriceRatio",
    "bar_range": "returns:BarRange",
    "momentum_skip": "returns:MomentumSkip",
    "sma_ratio": "trend:SmaRatio",
    "sma_cross": "trend:SmaCross",
    "ema_ratio": "trend:EmaRatio",
    "ema_cross": "trend:EmaCross",
    "macd": "macd:Macd",
    "adx": "directional:Adx",
    "plus_di": "directional:PlusDi",
    "minus_di": "directional:MinusDi",
    "aroon": "channels:Aroon",
    "trix": "macd:Trix",
    "price_channel": "channels:PriceChannel",
    "rsi": "momentum:Rsi",
    "stochastic": "momentum:Stochastic",
    "williams_r": "momentum:WilliamsR",
    "cci": "momentum:Cci",
    "mfi": "flow:Mfi",
    "obv_slope": "flow:ObvSlope",
    "balance_of_power": "flow:BalanceOfPower",
    "bollinger_position": "bands:BollingerPosition",
    "bollinger_width": "bands:BollingerWidth",
    "zscore": "bands:Zscore",
    "natr": "bands:Natr",
    "atr_ratio": "bands:AtrRatio",
    "distance_from_high": "bands:FromHigh",
    "distance_from_low": "bands:FromLow",
    "rank": "cross:Rank",
    "zscore_across": "cross:ZScoreAcross",
    "sector_relative": "cross:SectorRelative",
    "market_mean": "cross:MarketMean",
    "dispersion": "cross:Dispersion",
    "breadth": "cross:Breadth",
    "beta": "benchmark:Beta",
    "correlation": "benchmark:Correlation",
    "relative_strength": "benchmark:RelativeStrength",
    "residual_return": "benchmark:ResidualReturn",
    "benchmark_return": "benchmark:BenchmarkReturn",
    "benchmark_volatility": "benchmark:BenchmarkVolatility",
    "information_ratio": "benchmark:InformationRatio",
    "realised": "volatility:Realised",
    "parkinson": "range_volatility:Parkinson",
    "garman_klass": "range_volatility:GarmanKlass",
    "rogers_satchell": "range_volatility:RogersSatchell",
    "yang_zhang": "range_volatility:YangZhang",
    "volatility_ratio": "volatility:VolatilityRatio",
    "volatility_of_volatility": "volatility:VolatilityOfVolatility",
    "downside": "volatility:Downside",
    "jump_share": "volatility:JumpShare",
    "volume_ratio": "volume:VolumeRatio",
    "volume_zscore": "volume:VolumeZscore",
    "volume_rank": "volume:VolumeRank",
    "dollar_volume_trend": "volume:DollarVolumeTrend",
    "relative_volume": "relative_volume:RelativeVolume",
    "amihud": "volume:Amihud",
    "volume_price_correlation": "volume:VolumePriceCorrelation",
    "up_volume_share": "volume:UpVolumeShare",
    "chaikin_money_flow": "volume:ChaikinMoneyFlow",
    "vwap_distance": "session:VwapDistance",
    "vwap_stretch": "session:VwapStretch",
    "session_return": "session:SessionReturn",
    "overnight_gap": "session:OvernightGap",
    "session_range_position": "session:SessionRangePosition",
    "opening_range_position": "session:OpeningRangePosition",
    "spread_bps": "microstructure:SpreadBps",
    "quote_imbalance": "microstructure:QuoteImbalance",
    "microprice_distance": "microstructure:MicropriceDistance",
    "book_imbalance": "microstructure:BookImbalance",
    "tick_rule_imbalance": "microstructure:TickRuleImbalance",
    "close_location": "microstructure:CloseLocation",
    "day_of_week": "calendar:DayOfWeek",
    "minute_of_session": "calendar:MinuteOfSession",
    "session_position": "calendar:SessionPosition",
    "month_turn": "calendar:MonthTurn",
    "half_day": "calendar:HalfDay",
    "days_since_gap": "calendar:DaysSinceGap",
    "days_closed": "calendar:DaysClosed",
    "days_to_earnings": "events:DaysToEarnings",
    "days_since_earnings": "events:DaysSinceEarnings",
}
"""Kind -> module:Class under `tradingd.features.families`."""


def find(kind: str, where: str = "features.declared") -> type[Feature]:
    """Return the class of a kind, or of ``package.module:Class``.

    Modules of your own are found on Python's path and in the current working directory.

    Raises
    ------
    Failure
        CONFIG: no such kind, no such module, an exception inside it, or not a feature.
    """
    if ":" in kind:
        return _yours(kind, where)
    if kind not in KINDS:
        close = nearest(kind, KINDS)
        raise Failure(
            f"there is no kind of feature {kind!r}",
            code=ExitCode.CONFIG,
            where=where,
            expected="a kind that `tradingd features list` names, or package.module:Class",
            found=kind,
            next_step=f"did you mean {close}?" if close else "tradingd features list",
        )
    module, _, name = KINDS[kind].partition(":")
    found: type[Feature] = getattr(importlib.import_module(f"{_FAMILIES}.{module}"), name)
    return found


def _yours(path: str, where: str) -> type[Feature]:
    name, _, attribute = path.partition(":")
    found = getattr(import_own(name, path, where), attribute, None)
    if not (isinstance(found, type) and issubclass(found, Feature)):
        raise _refused(
            f"{path} is not a feature",
            where,
            expected="a subclass of tradingd.features.feature.Feature",
            found="nothing of that name" if found is None else type(found).__name__,
        )
    if not issubclass(found.Params, FeatureParams):
        raise _refused(
            f"{path}.Params is not a parameter struct",
            where,
            expected="a subclass of tradingd.features.feature.FeatureParams",
            found=found.Params.__name__,
        )
    return found


def _refused(what: str, where: str, *, expected: str, found: str, next_step: str = "") -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where=where,
        expected=expected,
        found=found,
        next_step=next_step,
    )
