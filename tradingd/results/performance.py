"""Return and luck metrics of a series of daily equity.

Ratios come from `empyrical` on daily returns; what it leaves undefined (or answers with an
infinity) is None here, with the reason.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np

from tradingd.luck import bootstrap, sharpe
from tradingd.results.metrics import LuckMetrics, ReturnMetrics
from tradingd.results.ratios import Ratios
from tradingd.results.tables import DailyEquity, Floats

NO_SESSION: Final = "no session with an equity sample"
ONE_SESSION: Final = "needs at least two sessions"
NO_VARIATION: Final = "daily returns do not vary"
NO_LOSS: Final = "no day lost money"
NO_DRAWDOWN: Final = "equity never fell below a high"
NOT_POSITIVE: Final = "the Sharpe ratio is not above zero"
RUINED: Final = "equity fell to zero or below"

_STILL: Final = 1e-12
"""Deviation of daily returns below which they are rounding noise around a constant."""


def return_metrics(daily: DailyEquity, cash: float, ratios: Ratios) -> ReturnMetrics:
    """Compute the return statistics of a run."""
    import empyrical  # 1.5 s: pandas and scipy, which listing and comparing runs never need

    returns, empty = series(daily, cash)
    few = empty or (ONE_SESSION if len(returns) < 2 else "")
    flat = few or (NO_VARIATION if not varies(returns) else "")
    no_loss = few or (NO_LOSS if not (returns < 0).any() else "")
    drawdown = 0.0 if empty else float(empyrical.max_drawdown(returns))
    no_drawdown = empty or (NO_DRAWDOWN if drawdown == 0 else "")
    best, worst = (None, None) if empty else (int(returns.argmax()), int(returns.argmin()))
    return ReturnMetrics(
        total_return=ratios.value(
            "total_return",
            NO_SESSION if not daily.days else "",
            lambda: daily.equity[-1] / cash - 1,
        ),
        annual_return=ratios.value("annual_return", few, lambda: empyrical.annual_return(returns)),
        annual_volatility=ratios.value(
            "annual_volatility", few, lambda: empyrical.annual_volatility(returns)
        ),
        sharpe=ratios.value("sharpe", flat, lambda: empyrical.sharpe_ratio(returns)),
        sortino=ratios.value("sortino", no_loss, lambda: empyrical.sortino_ratio(returns)),
        calmar=ratios.value("calmar", few or no_drawdown, lambda: empyrical.calmar_ratio(returns)),
        max_drawdown=ratios.value("max_drawdown", empty, lambda: drawdown),
        longest_drawdown=None if empty else longest_drawdown(daily.equity, cash),
        best_day=ratios.value("best_day", empty, lambda: returns.max()),
        best_day_date=_day(daily.days, best),
        worst_day=ratios.value("worst_day", empty, lambda: returns.min()),
        worst_day_date=_day(daily.days, worst),
    )


def luck_metrics(daily: DailyEquity, cash: float, seed: int, ratios: Ratios) -> LuckMetrics:
    """Compute how likely the Sharpe ratio is to be luck."""
    returns, empty = series(daily, cash)
    few = empty or (ONE_SESSION if len(returns) < 2 else "")
    flat = few or (NO_VARIATION if not varies(returns) else "")
    not_positive = flat or (NOT_POSITIVE if sharpe.sharpe(returns) <= 0 else "")
    low, high = (0.0, 0.0) if flat else bootstrap.bootstrap_sharpe(returns, seed)
    return LuckMetrics(
        probabilistic_sharpe=ratios.value(
            "probabilistic_sharpe", flat, lambda: sharpe.probabilistic_sharpe(returns)
        ),
        sharpe_low=ratios.value("sharpe_low", flat, lambda: low),
        sharpe_high=ratios.value("sharpe_high", flat, lambda: high),
        t_statistic=ratios.value("t_statistic", flat, lambda: sharpe.t_statistic(returns)),
        minimum_track_record=ratios.value(
            "minimum_track_record", not_positive, lambda: sharpe.minimum_track_record(returns)
        ),
    )


def series(daily: DailyEquity, cash: float) -> tuple[Floats, str]:
    """Return daily returns, and why they do not exist ("" when they do)."""
    if not daily.days:
        return np.empty(0), NO_SESSION
    if (daily.equity <= 0).any():
        return np.empty(0), RUINED
    return daily.returns(cash), ""


def varies(returns: Floats) -> bool:
    """Tell whether daily returns differ by more than rounding noise."""
    return len(returns) > 1 and float(returns.std(ddof=1)) > _STILL


def drawdowns(equity: Floats, cash: float) -> Floats:
    """Return equity over its running high less one, the starting cash being the first high."""
    high = np.maximum(np.maximum.accumulate(equity), cash)
    return equity / high - 1


def longest_drawdown(equity: Floats, cash: float) -> int:
    """Return the most sessions in a row that equity stayed below an earlier high."""
    longest = current = 0
    for below in drawdowns(equity, cash) < 0:
        current = current + 1 if below else 0
        longest = max(longest, current)
    return longest


def _day(days: Sequence[dt.date], index: int | None) -> dt.date | None:
    return None if index is None else days[index]
