"""EMA cross written directly on NautilusTrader rc7: the yardstick, nothing of ours in the loop.

Runs as a process of its own so that memory and CPU belong to it alone; prints one JSON object.
Bars stream in the same chunks as ours do, so both sides pay for the same engine calls.
"""

import argparse
import io
import json
import resource
import sys
import time

import pyarrow as pa
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import PerContractFeeModel, StaticLatencyModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    Symbol,
    TimeInForce,
    Venue,
)
from nautilus_trader.persistence import BarDataWrangler
from nautilus_trader.trading import Strategy, StrategyConfig

from tests.benchmarks import dataset

USD = Currency.from_str("USD")
ENGINE_PRICE = pa.decimal128(38, 16)


class DirectEmaCross(Strategy):
    """Long above the cross, flat below; market orders; its own averages."""

    def __new__(cls, *_arguments: object) -> "DirectEmaCross":
        # The engine's base class takes only its own config at construction.
        return super().__new__(cls, StrategyConfig())

    def __init__(self, bar_types: list[BarType], fast: int, slow: int, quantity: int) -> None:
        super().__init__(StrategyConfig())
        self.bar_types = bar_types
        self.fast_weight = 2.0 / (fast + 1)
        self.slow_weight = 2.0 / (slow + 1)
        self.slow = slow
        self.quantity = Quantity.from_int(quantity)
        self.state: dict[BarType, list[float]] = {}
        self.holding: dict[BarType, bool] = {}
        self.orders_sent = 0

    def on_start(self) -> None:
        for bar_type in self.bar_types:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        bar_type = bar.bar_type
        close = bar.close.as_double()
        state = self.state.get(bar_type)
        if state is None:
            self.state[bar_type] = [close, close, 1]
            return
        state[0] += self.fast_weight * (close - state[0])
        state[1] += self.slow_weight * (close - state[1])
        state[2] += 1
        if state[2] < self.slow:
            return
        above = state[0] > state[1]
        if above != self.holding.get(bar_type, False):
            self.holding[bar_type] = above
            self.orders_sent += 1
            self.submit_order(
                self.order_factory.market(
                    bar_type.instrument_id,
                    OrderSide.BUY if above else OrderSide.SELL,
                    self.quantity,
                    TimeInForce.GTC,
                )
            )


def engine_for(symbols: list[str]) -> tuple[BacktestEngine, list[BarType]]:
    """Build an engine with one margin venue and the symbols' instruments."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            bypass_logging=True, run_analysis=False, logging=LoggerConfig(bypass_logging=True)
        )
    )
    venue = Venue("SIM")
    engine.add_venue(
        venue,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000_000.0, USD)],
        base_currency=USD,
        fee_model=PerContractFeeModel(Money(0.005, USD)),
        latency_model=StaticLatencyModel(250_000_000),
    )
    bar_types = []
    for symbol in symbols:
        instrument_id = InstrumentId(Symbol(symbol), venue)
        engine.add_instrument(
            Equity(instrument_id, Symbol(symbol), USD, 2, Price.from_str("0.01"), 0, 0)
        )
        bar_types.append(BarType.from_str(f"{instrument_id}-1-MINUTE-LAST-EXTERNAL"))
    return engine, bar_types


def ipc_bytes(table: pa.Table, bar_type: BarType) -> bytes:
    """Encode bars in the engine's Arrow layout."""
    columns = {
        name: table.column(name).cast(ENGINE_PRICE) for name in ("open", "high", "low", "close")
    }
    columns["volume"] = table.column("volume").cast(pa.decimal128(38, 0)).cast(ENGINE_PRICE)
    for name in ("ts_event", "ts_init"):
        columns[name] = table.column(name).cast(pa.int64()).cast(pa.uint64())
    metadata = {
        "bar_type": str(bar_type),
        "instrument_id": str(bar_type.instrument_id),
        "price_precision": "2",
        "size_precision": "0",
        "type_name": "Bar",
    }
    encoded = pa.table(columns).replace_schema_metadata(metadata).combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, encoded.schema) as writer:
        writer.write_table(encoded)
    return sink.getvalue()


def main() -> None:
    """Run and print the measurements."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--chunk-rows", type=int, default=100_000)
    options = parser.parse_args()
    names = dataset.symbols(options.symbols)
    engine, bar_types = engine_for(names)
    strategy = DirectEmaCross(bar_types, 20, 100, 100)
    engine.add_strategy(strategy)
    times = dataset.minute_times(options.bars)
    tables = [dataset.bars_table(times, index) for index in range(options.symbols)]
    per_symbol = max(options.chunk_rows // options.symbols, 1)
    engine_cpu = 0.0
    for start in range(0, len(times), per_symbol):
        bars: list[Bar] = []
        for bar_type, table in zip(bar_types, tables, strict=True):
            wrangler = BarDataWrangler(str(bar_type), 2, 0)
            bars += wrangler.process_record_batch_bytes(
                ipc_bytes(table.slice(start, per_symbol), bar_type)
            )
        began = time.process_time()
        engine.add_data(bars)
        engine.run(streaming=True)
        engine.clear_data()
        engine_cpu += time.process_time() - began
    began = time.process_time()
    engine.end()
    engine_cpu += time.process_time() - began
    rows = len(times) * options.symbols
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    json.dump(
        {"rows": rows, "orders": strategy.orders_sent, "engine_cpu_s": engine_cpu, "peak_mb": peak},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
