"""The one list of limits; what is not here is not checked, and a test says so for each."""

from typing import Final

from tradingd.gate.limits.account import MarginRegime, ShortAvailability
from tradingd.gate.limits.base import Limit
from tradingd.gate.limits.losses import DailyLoss, Drawdown, LossStreak, OpenRisk, RiskPerTrade
from tradingd.gate.limits.pace import MaxTradesPerDay, OrdersPerMinute
from tradingd.gate.limits.prices import Collar, MarkAge, RequireStop
from tradingd.gate.limits.size import (
    Gross,
    MaxOrderValue,
    MaxPositions,
    PositionSize,
    ShortOfGross,
)
from tradingd.gate.limits.times import (
    EarningsBlackout,
    NoTradeClose,
    NoTradeOpen,
    OutsideUniverse,
)

LIMITS: Final[tuple[type[Limit], ...]] = (
    Drawdown,
    DailyLoss,
    RiskPerTrade,
    OpenRisk,
    PositionSize,
    Gross,
    ShortOfGross,
    MaxPositions,
    MaxTradesPerDay,
    LossStreak,
    Collar,
    MarkAge,
    OrdersPerMinute,
    MaxOrderValue,
    NoTradeOpen,
    NoTradeClose,
    EarningsBlackout,
    OutsideUniverse,
    RequireStop,
    ShortAvailability,
    MarginRegime,
)
