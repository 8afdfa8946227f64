"""Trade and cost metrics from the orders, fills, positions, equity and cash tables."""

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.orders import Purpose
from tradingd.luck.sharpe import SESSIONS_PER_YEAR
from tradingd.results.folder import RunFolder
from tradingd.results.metrics import CostMetrics, TradeMetrics
from tradingd.results.ratios import Ratios
from tradingd.results.tables import DailyEquity, Floats, floats, money, read, total

NO_TRIP: Final = "no position was closed"
NO_WIN: Final = "no round trip earned money"
NO_LOSS: Final = "no round trip lost money"
NO_SAMPLE: Final = "no equity sample"
NO_MEAN: Final = "mean equity is not positive"


def trade_metrics(folder: RunFolder, daily: DailyEquity, ratios: Ratios) -> TradeMetrics:
    """Compute the statistics of orders, fills and round trips."""
    trips = read(folder, "positions", ["realised", "dividends", "borrow", "bars_held"])
    results = trip_results(trips)
    wins, losses = results[results > 0], results[results < 0]
    none = "" if len(results) else NO_TRIP
    no_loss = none or ("" if len(losses) else NO_LOSS)
    fills = market_fills(folder)
    return TradeMetrics(
        orders=_trades_only(read(folder, "orders", ["purpose"])).num_rows,
        fills=fills.num_rows,
        trips=len(results),
        win_rate=ratios.value("win_rate", none, lambda: len(wins) / len(results)),
        average_win=ratios.value(
            "average_win", none or ("" if len(wins) else NO_WIN), lambda: wins.mean()
        ),
        average_loss=ratios.value("average_loss", no_loss, lambda: losses.mean()),
        profit_factor=ratios.value("profit_factor", no_loss, lambda: wins.sum() / -losses.sum()),
        expectancy=ratios.value("expectancy", none, lambda: results.mean()),
        average_bars_held=ratios.value(
            "average_bars_held", none, lambda: floats(trips["bars_held"]).mean()
        ),
        turnover=_turnover(fills, daily, ratios),
        **_exposure(folder, ratios),
    )


def cost_metrics(folder: RunFolder) -> CostMetrics:
    """Sum every cost component exactly."""
    fees = ["commission", "fee_broker", "fee_exchange", "fee_regulatory", "slippage"]
    fills = read(folder, "fills", fees)
    cash = read(folder, "cash", ["kind", "amount"])
    by_kind = cash_by_kind(cash)
    borrow, dividends = by_kind.pop("borrow", Decimal(0)), by_kind.pop("dividend", Decimal(0))
    return CostMetrics(
        **{name: total(fills[name]) for name in fees},
        borrow=money(-borrow),
        dividends=money(dividends),
        other_cash=money(sum(by_kind.values(), Decimal(0))),
    )


def denials_by_limit(folder: RunFolder) -> dict[str, int]:
    """Count the orders each limit denied, sorted by limit."""
    return _counts(read(folder, "denials", ["limit"])["limit"])


def trip_results(trips: pa.Table) -> Floats:
    """Return what each round trip earned: realised plus dividends less borrow fees."""
    return floats(trips["realised"]) + floats(trips["dividends"]) - floats(trips["borrow"])


def market_fills(folder: RunFolder) -> pa.Table:
    """Return quantity and price of the fills that were trades, not splits."""
    return _trades_only(read(folder, "fills", ["quantity", "price", "purpose"]))


def _trades_only(rows: pa.Table) -> pa.Table:
    """Leave out the rows that book splits."""
    return rows.filter(pc.not_equal(rows["purpose"], Purpose.CORPORATE.value))


def cash_by_kind(cash: pa.Table) -> dict[str, Decimal]:
    """Sum cash movements by kind."""
    sums = cash.group_by("kind").aggregate([("amount", "sum")]).sort_by("kind")
    return dict(zip(sums["kind"].to_pylist(), sums["amount_sum"].to_pylist(), strict=True))


def exposure_share(equity: pa.Table) -> Floats:
    """Return (long + short value) over equity per sample; NaN where equity is not positive."""
    gross = floats(equity["long_value"]) + np.abs(floats(equity["short_value"]))
    account = floats(equity["equity"])
    share: Floats = np.divide(gross, account, out=np.full(len(gross), np.nan), where=account > 0)
    return share


def _exposure(folder: RunFolder, ratios: Ratios) -> dict[str, float | None]:
    equity = read(folder, "equity", ["equity", "long_value", "short_value", "positions"])
    none = "" if equity.num_rows else NO_SAMPLE
    return {
        "exposure_time": ratios.value(
            "exposure_time", none, lambda: (floats(equity["positions"]) > 0).mean()
        ),
        "exposure_value": ratios.value(
            "exposure_value", none, lambda: exposure_share(equity).mean()
        ),
    }


def _turnover(fills: pa.Table, daily: DailyEquity, ratios: Ratios) -> float | None:
    obstacle = "" if daily.days else NO_SAMPLE
    obstacle = obstacle or ("" if daily.equity.mean() > 0 else NO_MEAN)
    traded = float((floats(fills["quantity"]) * floats(fills["price"])).sum()) / 2
    return ratios.value(
        "turnover",
        obstacle,
        lambda: traded / daily.equity.mean() * SESSIONS_PER_YEAR / len(daily.days),
    )


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    pairs = ((entry["values"], entry["counts"]) for entry in column.value_counts().to_pylist())
    return dict(sorted(pairs))
