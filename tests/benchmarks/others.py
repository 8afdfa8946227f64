"""The same EMA cross in backtrader and backtesting.py, on one synthetic symbol, a process each.

They are installed only for the benchmark; prints one JSON object.
"""

import argparse
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

from tests.benchmarks import dataset


def frame(bars: int) -> pd.DataFrame:
    """Return the synthetic bars as the OHLCV frame both libraries take."""
    table = dataset.bars_table(dataset.minute_times(bars), 0)
    data = {
        name.capitalize(): np.array(table.column(name).cast("float64"))
        for name in ("open", "high", "low", "close", "volume")
    }
    return pd.DataFrame(data, index=pd.DatetimeIndex(np.array(table.column("ts_event"))))


def run_backtrader(data: pd.DataFrame) -> tuple[float, int]:
    """Return (CPU seconds, orders) of backtrader."""
    import backtrader as bt

    class Cross(bt.Strategy):
        def __init__(self) -> None:
            self.cross = bt.ind.CrossOver(bt.ind.EMA(period=20), bt.ind.EMA(period=100))
            self.sent = 0

        def next(self) -> None:
            if not self.position and self.cross > 0:
                self.buy(size=100)
                self.sent += 1
            elif self.position and self.cross < 0:
                self.sell(size=100)
                self.sent += 1

    engine = bt.Cerebro()
    engine.adddata(bt.feeds.PandasData(dataname=data))
    engine.addstrategy(Cross)
    engine.broker.setcash(1_000_000_000)
    began = time.process_time()
    (strategy,) = engine.run()
    return time.process_time() - began, strategy.sent


def run_backtesting(data: pd.DataFrame) -> tuple[float, int]:
    """Return (CPU seconds, orders) of backtesting.py."""
    from backtesting import Backtest, Strategy

    class Cross(Strategy):
        def init(self) -> None:
            close = pd.Series(self.data.Close)
            self.fast = self.I(lambda: close.ewm(span=20, adjust=False).mean())
            self.slow = self.I(lambda: close.ewm(span=100, adjust=False).mean())

        def next(self) -> None:
            above = self.fast[-1] > self.slow[-1]
            if above and not self.position:
                self.buy(size=100)
            elif not above and self.position:
                self.position.close()

    engine = Backtest(data, Cross, cash=1_000_000_000)
    began = time.process_time()
    stats = engine.run()
    return time.process_time() - began, 2 * int(stats["# Trades"])


RUNNERS = {"backtrader": run_backtrader, "backtesting.py": run_backtesting}


def main() -> None:
    """Run one library and print the measurements."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=RUNNERS)
    parser.add_argument("--bars", type=int, default=100_000)
    options = parser.parse_args()
    # Their deprecation notices are not what is measured here.
    warnings.simplefilter("ignore")
    cpu, orders = RUNNERS[options.library](frame(options.bars))
    json.dump({"rows": options.bars, "orders": orders, "engine_cpu_s": cpu}, sys.stdout)


if __name__ == "__main__":
    main()
