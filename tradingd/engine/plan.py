"""How to simulate: what a run over bars or books is told besides its data."""

from typing import Literal

import msgspec

from tradingd.config.execution import MarketStyle, StyleConfig
from tradingd.domain.money import Nanos


class BacktestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to simulate; money in Nanos.

    `style` works orders without a price of their own; `half_spread_bps` is what bid and ask are
    from the last close then (`execution.touch.half_spread` of the slippage's configuration).
    `watched` are symbols without bars here that a strategy may name: the gate denies the order,
    where any other name is a fault of the strategy.
    """

    cash: Nanos
    latency_ms: int
    participation_percent: float
    account: Literal["margin", "cash"]
    equity_every: int
    seed: int
    style: StyleConfig = MarketStyle()
    half_spread_bps: float = 0.0
    watched: frozenset[str] = frozenset()
