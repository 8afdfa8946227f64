"""What the pinned engine does in a live node; `tradingd.engine.live` stands on these facts."""

import asyncio
import contextlib
import gc
import threading
import time

import pytest
from nautilus_trader.common import CacheConfig, Environment, LoggerConfig
from nautilus_trader.config import (
    DataClientConfig,
    ExecutionClientConfig,
    LiveExecutionEngineConfig,
    LiveNodeConfig,
    LiveRiskEngineConfig,
)
from nautilus_trader.live import LiveNodeBuilder
from nautilus_trader.live.clients import (
    DataClientFactory,
    ExecutionClient,
    ExecutionClientFactory,
    MarketDataClient,
)
from nautilus_trader.model import (
    AccountBalance,
    AccountId,
    AccountType,
    Bar,
    BarType,
    ClientOrderId,
    Currency,
    Equity,
    InstrumentId,
    LiquiditySide,
    Money,
    OmsType,
    OrderSide,
    OrderStatus,
    Price,
    Quantity,
    StrategyId,
    TradeId,
    TraderId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.trading import Strategy, StrategyConfig

USD = Currency.from_str("USD")
SIM = Venue("SIM")
AAA = InstrumentId.from_str("AAA.SIM")
BARS = BarType.from_str("AAA.SIM-1-MINUTE-LAST-EXTERNAL")


@pytest.fixture(autouse=True)
def collected():
    """Collect engine objects on this thread: dropped on another they complain."""
    yield
    gc.collect()


class Data(MarketDataClient):
    async def _connect(self):
        self._handle_instrument(Equity(AAA, AAA.symbol, USD, 2, Price(0.01, 2), 0, 0))

    async def _disconnect(self):
        pass

    async def _subscribe_bars(self, command):
        pass

    async def _unsubscribe_bars(self, command):
        pass


class Exec(ExecutionClient):
    async def _connect(self):
        cash = Money(100_000, USD)
        balance = AccountBalance(cash, Money(0, USD), cash)
        self.generate_account_state([balance], [], True, self.clock.timestamp_ns())

    async def _disconnect(self):
        pass

    async def _submit_order(self, command):
        self.submitted.append(command.client_order_id.value)
        self.threads.add(threading.current_thread().name)


class DataMaker(DataClientFactory):
    def create(self, **context):
        self.client = Data(venue=SIM, **context)
        return self.client


class ExecMaker(ExecutionClientFactory):
    def create(self, *, name, **context):
        self.client = Exec(
            name=name,
            venue=SIM,
            account_id=AccountId(f"{name}-001"),
            account_type=AccountType.MARGIN,
            oms_type=OmsType.NETTING,
            base_currency=USD,
            **context,
        )
        self.client.submitted = []
        self.client.threads = set()
        return self.client


class Script(Strategy):
    def __init__(self, number=1):
        super().__init__(config(number))
        self.bars, self.events, self.ticks = [], [], []

    def on_start(self):
        self.subscribe_bars(BARS)
        self.clock.set_timer_ns("t", 50_000_000, None, None, self.tick)

    def tick(self, _event):
        self.ticks.append(threading.current_thread().name)

    def on_bar(self, bar):
        self.bars.append(bar.ts_event)

    def on_order_event(self, event):
        self.events.append(type(event).__name__)


def config(number):
    return StrategyConfig(
        strategy_id=StrategyId(f"S-{number:03d}"), log_events=False, log_commands=False
    )


def node_of(data, orders):
    made = LiveNodeConfig(
        environment=Environment.LIVE,
        trader_id=TraderId("T-001"),
        logging=LoggerConfig(bypass_logging=True),
        delay_post_stop_secs=0.0,
        cache=CacheConfig(bar_capacity=4),
        risk_engine=LiveRiskEngineConfig(bypass=True),
        exec_engine=LiveExecutionEngineConfig(reconciliation=False),
    )
    builder = LiveNodeBuilder.from_config("facts", made)
    builder.add_data_client("OWN", data, DataClientConfig())
    builder.add_exec_client("OWN", orders, ExecutionClientConfig())
    return builder.build()


@contextlib.asynccontextmanager
async def running(*strategies):
    data, orders = DataMaker(), ExecMaker()
    node = node_of(data, orders)
    for strategy in strategies:
        node.add_strategy(strategy)
    handle, cache = node.handle(), node.cache
    task = asyncio.create_task(node.run_async())
    del node
    await until(lambda: all(one.ticks for one in strategies))
    try:
        yield data.client, orders.client, cache
    finally:
        handle.stop()
        await task


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the engine offers nothing to wait on
            await asyncio.sleep(0.002)


def fill(client, order, trade, quantity, price):
    client.generate_order_filled(
        order,
        VenueOrderId("V"),
        None,
        TradeId(trade),
        Quantity.from_int(quantity),
        Price(price, 2),
        USD,
        Money(0, USD),
        LiquiditySide.TAKER,
        1,
    )


def market(strategy, name="X-1", quantity=10):
    return strategy.order_factory.market(
        AAA,
        OrderSide.BUY,
        Quantity.from_int(quantity),
        client_order_id=ClientOrderId(name),
    )


def test_timers_fire_on_the_loops_thread_and_not_while_it_is_blocked():
    async def run():
        strategy = Script()
        async with running(strategy):
            before = len(strategy.ticks)
            time.sleep(0.3)  # noqa: ASYNC251 - blocking is the point
            assert len(strategy.ticks) == before
            await until(lambda: len(strategy.ticks) > before)
            assert set(strategy.ticks) == {threading.main_thread().name}

    asyncio.run(run())


def test_bars_arrive_in_the_order_they_were_published_whatever_their_times():
    async def run():
        strategy = Script()
        async with running(strategy) as (data, _, _):
            for ts in (5, 3, 4, 4):
                data._handle_data(Bar(BARS, *[Price(10.0, 2)] * 4, Quantity.from_int(1), ts, ts))
            await until(lambda: len(strategy.bars) == 4)
            assert strategy.bars == [5, 3, 4, 4]

    asyncio.run(run())


def test_events_of_our_client_give_an_order_its_life_without_a_send_to_answer():
    """An order that the shim has sent is shown to the engine; its client keeps quiet."""

    async def run():
        strategy = Script()
        async with running(strategy) as (_, client, cache):
            order = market(strategy)
            strategy.submit_order(order)
            assert cache.order(order.client_order_id).status == OrderStatus.INITIALIZED
            client.generate_order_submitted(order)
            client.generate_order_accepted(order, VenueOrderId("V"), 1)
            fill(client, order, "T1", 4, 10.0)
            fill(client, order, "T2", 6, 11.0)
            await until(lambda: cache.order(order.client_order_id).status == OrderStatus.FILLED)
            (position,) = cache.positions_open()
            assert (int(position.signed_qty), position.strategy_id.value) == (10, "S-001")
            assert strategy.events == [
                "OrderInitialized",
                "OrderSubmitted",
                "OrderAccepted",
                "OrderFilled",
                "OrderFilled",
            ]

    asyncio.run(run())


def test_a_fill_after_the_cancel_is_applied_and_one_told_twice_is_not():
    async def run():
        strategy = Script()
        async with running(strategy) as (_, client, cache):
            order = market(strategy)
            strategy.submit_order(order)
            client.generate_order_submitted(order)
            client.generate_order_accepted(order, VenueOrderId("V"), 1)
            client.generate_order_canceled(order, VenueOrderId("V"), 2)
            fill(client, order, "T1", 10, 10.0)
            fill(client, order, "T1", 10, 10.0)
            await until(lambda: cache.order(order.client_order_id).status == OrderStatus.FILLED)
            await asyncio.sleep(0.02)
            assert int(cache.positions_open()[0].signed_qty) == 10

    asyncio.run(run())


def test_the_engines_own_close_skips_an_override_but_not_the_client():
    class Override(Script):
        def submit_order(self, order, *args, **kwargs):
            self.events.append("override")
            super().submit_order(order)

    async def run():
        strategy = Override()
        async with running(strategy) as (_, client, cache):
            order = market(strategy)
            strategy.submit_order(order)
            client.generate_order_submitted(order)
            client.generate_order_accepted(order, VenueOrderId("V"), 1)
            fill(client, order, "T1", 10, 10.0)
            await until(lambda: cache.positions_open())
            known = set(client.submitted)
            strategy.close_all_positions(AAA)
            await until(lambda: set(client.submitted) - known)
            assert strategy.events.count("override") == 1
            assert client.threads == {threading.main_thread().name}

    asyncio.run(run())


def test_an_exception_in_a_handler_is_swallowed_and_the_node_goes_on():
    class Raising(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            raise RuntimeError("lost") from None

    async def run():
        strategy = Raising()
        async with running(strategy) as (data, _, _):
            for ts in (1, 2):
                data._handle_data(Bar(BARS, *[Price(10.0, 2)] * 4, Quantity.from_int(1), ts, ts))
            await until(lambda: len(strategy.bars) == 2)

    asyncio.run(run())


def test_a_strategy_takes_another_number_until_it_is_added():
    """Two strategies need different numbers, and ours are made before they know each other."""

    async def run():
        first, second = Script(), Script()
        Strategy.__init__(second, config(2))
        async with running(first, second):
            assert [one.strategy_id.value for one in (first, second)] == ["S-001", "S-002"]

    asyncio.run(run())


def test_a_thread_has_one_node_at_a_time_and_another_when_the_first_is_gone():
    async def run():
        async with running(Script()):
            with pytest.raises(RuntimeError, match="already exists"):
                node_of(DataMaker(), ExecMaker())
        async with running(Script()):
            pass

    asyncio.run(run())


def test_closed_orders_are_purged_on_demand():
    async def run():
        strategy = Script()
        async with running(strategy) as (_, client, cache):
            order = market(strategy)
            strategy.submit_order(order)
            client.generate_order_submitted(order)
            client.generate_order_accepted(order, VenueOrderId("V"), 1)
            client.generate_order_canceled(order, VenueOrderId("V"), 2)
            await until(lambda: cache.orders_closed())
            cache.purge_closed_orders(client.clock.timestamp_ns())
            assert cache.orders() == []

    asyncio.run(run())
