"""Which way each limit loosens: an override that is not surely tighter needs confirmation."""

import math
from typing import Final

LOOSER_ABOVE: Final = frozenset(
    {
        "drawdown_percent", "daily_loss_percent", "risk_per_trade_percent", "open_risk_percent",
        "position_percent", "gross_percent", "short_of_gross_percent", "max_positions",
        "max_trades_per_day", "loss_streak", "collar_percent", "orders_per_minute",
        "max_order_value", "max_mark_age_seconds",
    }
)  # fmt: skip
"""A greater value allows more."""

LOOSER_BELOW: Final = frozenset(
    {"no_trade_open_minutes", "no_trade_close_minutes", "earnings_blackout_days"}
)
"""A smaller value allows more."""

ZERO_MEANS_ELSE: Final = frozenset({"max_order_value", "max_mark_age_seconds"})
"""Zero stands for 'no such limit' or for a computed one, so it is no number to compare with."""


def surely_tighter(key: str, before: str, after: str) -> bool:
    """Whether `after` certainly allows no more than `before`.

    What is no number, or a limit whose direction is not known here, is never sure.

    Parameters
    ----------
    key : str
        Name of the limit in `RiskConfig`, with or without the group (``risk.``).
    """
    name = key.rpartition(".")[2]
    old, new = _number(before), _number(after)
    if old is None or new is None or (name in ZERO_MEANS_ELSE and 0 in (old, new)):
        return False
    if name in LOOSER_ABOVE:
        return new <= old
    return name in LOOSER_BELOW and new >= old


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
