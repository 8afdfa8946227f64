"""How long a backtest must be before its best trial means anything.

Source: Bailey, Borwein, Lopez de Prado & Zhu (2014), "Pseudo-Mathematics and Financial
Charlatanism: The Effects of Backtest Overfitting on Out-of-Sample Performance", Notices of the AMS
61(5): minimum backtest length (theorem 2).
"""

from tradingd.luck.deflated import expected_maximum


def minimum_backtest_length(trials: int, annual_sharpe: float = 1.0) -> float:
    """Return the years below which luck alone shows `annual_sharpe` in the best of the trials.

    ``(expected maximum of N standard normals / SR)^2``: with less data a search over so many
    independent trials without any skill is expected to find a Sharpe ratio above `annual_sharpe`.
    0 for one trial.
    """
    return (expected_maximum(trials) / annual_sharpe) ** 2
