"""How the pinned engine treats Python handlers; our strategy base class stands on these facts."""

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import FixedFeeModel
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
    StrategyId,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

USD = Currency.from_str("USD")
AAA = InstrumentId.from_str("AAA.SIM")
BARS = BarType.from_str("AAA.SIM-1-MINUTE-LAST-EXTERNAL")
START = 1_704_200_000_000_000_000
STEP = 60_000_000_000


def bars(first, last):
    return [
        Bar(BARS, *[Price(10.0, 2)] * 4, Quantity.from_int(100), START + n * STEP, START + n * STEP)
        for n in range(first, last)
    ]


class Script(Strategy):
    def __init__(self):
        super().__init__(StrategyConfig(strategy_id=StrategyId("S-001"), log_events=False))
        self.seen = []

    def on_start(self):
        self.subscribe_bars(BARS)

    def on_bar(self, bar):
        self.seen.append(bar.ts_event)


def engine_with(strategy):
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggerConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        Venue("SIM"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USD)],
        base_currency=USD,
        fee_model=FixedFeeModel(Money(0, USD)),
    )
    engine.add_instrument(Equity(AAA, AAA.symbol, USD, 2, Price(0.01, 2), 0, 0))
    engine.add_strategy(strategy)
    return engine


def test_an_exception_in_a_handler_is_swallowed_by_the_engine():
    class Raising(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            raise RuntimeError("lost")

    strategy = Raising()
    engine = engine_with(strategy)
    engine.add_data(bars(0, 5))
    engine.run()
    assert len(strategy.seen) == 5


def test_a_handler_set_on_the_instance_is_called_instead_of_the_classes():
    strategy, heard = Script(), []
    strategy.on_bar = lambda bar: heard.append(bar.ts_event)
    engine = engine_with(strategy)
    engine.add_data(bars(0, 3))
    engine.run()
    assert (len(heard), strategy.seen) == (3, [])


def test_closing_verbs_do_not_pass_an_overridden_submit_order():
    class Override(Script):
        def submit_order(self, order, *args, **kwargs):
            self.seen.append("submit")
            super().submit_order(order)

        def on_bar(self, bar):
            super().on_bar(bar)
            if len(self.seen) == 1:
                self.submit_order(
                    self.order_factory.market(AAA, OrderSide.BUY, Quantity.from_int(1))
                )
            elif self.cache.positions_open():
                self.close_all_positions(AAA)

    strategy = Override()
    engine = engine_with(strategy)
    engine.add_data(bars(0, 4))
    engine.run()
    assert strategy.seen.count("submit") == 1
    assert not engine.cache.positions_open()


def test_streaming_in_chunks_keeps_alerts_set_between_them():
    strategy, fired = Script(), []
    engine = engine_with(strategy)
    engine.add_data(bars(0, 2))
    engine.run(streaming=True)
    engine.clear_data()
    strategy.clock.set_time_alert_ns("x", START + STEP + 7, lambda e: fired.append(e.ts_event))
    engine.add_data(bars(2, 4))
    engine.run(streaming=True)
    engine.end()
    assert len(strategy.seen) == 4
    assert fired == [START + STEP + 7]


def test_an_alert_after_the_last_data_never_fires():
    strategy, fired = Script(), []
    engine = engine_with(strategy)
    engine.add_data(bars(0, 2))
    engine.run(streaming=True)
    strategy.clock.set_time_alert_ns("x", START + 9 * STEP, lambda e: fired.append(e.ts_event))
    engine.end()
    assert fired == []


def test_unsorted_lanes_are_merged_by_time_and_stay_in_their_order_within_one():
    strategy = Script()
    engine = engine_with(strategy)
    engine.add_data(bars(2, 4), None, False, False)
    engine.add_data(bars(0, 2), None, False, False)
    engine.sort_data()
    engine.run()
    assert strategy.seen == [START + n * STEP for n in range(4)]


def test_a_raw_price_counts_in_units_of_the_sixteenth_decimal():
    assert Price(1.0, 9).raw == 10**16
    assert Price.from_raw(10**7, 9).as_decimal().as_tuple().exponent == -9
