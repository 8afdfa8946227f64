"""Compute all metrics of a recorded run from its tables."""

from decimal import Decimal

from tradingd.results.folder import RunFolder
from tradingd.results.metrics import AccountMetrics, Metrics
from tradingd.results.performance import luck_metrics, return_metrics
from tradingd.results.ratios import Ratios
from tradingd.results.tables import daily_equity, money, read
from tradingd.results.trading import cost_metrics, denials_by_limit, trade_metrics


def measure(folder: RunFolder, *, cash: Decimal, seed: int) -> Metrics:
    """Return the metrics of a run that started with `cash` dollars.

    `seed` decides the bootstrap's resamples. Memory: a few float columns of the fills, positions
    and equity tables.
    """
    samples = read(folder, "equity", ["ts", "equity"])
    daily = daily_equity(samples)
    ratios = Ratios()
    returns = return_metrics(daily, float(cash), ratios)
    trades = trade_metrics(folder, daily, ratios)
    luck = luck_metrics(daily, float(cash), seed, ratios)
    return Metrics(
        account=AccountMetrics(
            starting_cash=money(cash),
            final_equity=money(samples["equity"][-1].as_py() if samples.num_rows else cash),
            first_day=daily.days[0] if daily.days else None,
            last_day=daily.days[-1] if daily.days else None,
            sessions=len(daily.days),
        ),
        returns=returns,
        trades=trades,
        costs=cost_metrics(folder),
        luck=luck,
        denials=denials_by_limit(folder),
        undefined=ratios.undefined,
    )
