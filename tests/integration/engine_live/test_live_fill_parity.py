"""The same strategy over the same bars: the engine's own sandbox against shim and simulated broker.

The sandbox is the yardstick for what an order costs to send through our path: nothing. Spread and
commission are zero on both sides. Where the two differ by rule, the rule is pinned here.
"""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from nautilus_trader.adapters.sandbox import (
    SandboxExecutionClientConfig,
    SandboxExecutionClientFactory,
)
from nautilus_trader.common import CacheConfig, Environment, LoggerConfig
from nautilus_trader.config import DataClientConfig, LiveExecutionEngineConfig, LiveNodeConfig
from nautilus_trader.execution import FixedFeeModel
from nautilus_trader.live import LiveNodeBuilder
from nautilus_trader.model import (
    AccountType,
    OmsType,
    OrderSide,
    OrderStatus,
    OrderType,
    Quantity,
    TraderId,
)

from tests.integration.engine_live.live_kit import MINUTE, Script, session_of, settle, until
from tests.integration.engine_live.real_kit import free_broker, real
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Instrument, Resolution
from tradingd.domain.money import CENT
from tradingd.engine.live.bars import Delivery
from tradingd.engine.live.clients import Bars
from tradingd.engine.units import USD, money, nanos_of, price
from tradingd.engine.venue import VENUE, bar_type, equity, instrument_id

DAY = "2024-07-02"
SYMBOLS = ("AAA", "BBB")
BUYS, SELLS = (OrderSide.BUY, OrderSide.SELL), (OrderSide.SELL, OrderSide.BUY)


class Trader(Script):
    """Trades by the clock: market orders in and out, resting limits around the last close."""

    def on_begin(self) -> None:
        self.minute = dict.fromkeys(self.symbols, 0)
        self.fills: list[tuple[str, str, int, int]] = []

    def on_bar(self, bar) -> None:
        symbol = self.symbol_of(bar)
        minute = self.minute[symbol] = self.minute[symbol] + 1
        shift, sides = (1, BUYS) if symbol == "AAA" else (3, SELLS)
        if minute == 1:
            self.send(symbol, sides[0], 5_000)
        elif (minute + shift) % 5 == 0:
            self.send(symbol, sides[(minute + shift) % 2], 10 + minute)
        elif (minute + shift) % 7 == 0:
            # Off the prices that bars trade at, so that a touch is never the question. Limits
            # enlarge only: a resting exit is tied to the position here, in the sandbox it is not.
            away = (30 * CENT + CENT // 2) * (-1 if sides is BUYS else 1)
            self.send(symbol, sides[0], 5 + minute, nanos_of(bar.close) + away)

    def send(self, symbol: str, side: OrderSide, quantity: int, limit: int | None = None) -> None:
        which, shares = instrument_id(symbol), Quantity.from_int(quantity)
        if limit is None:
            self.submit_order(self.order_factory.market(which, side, shares))
        else:
            self.submit_order(self.order_factory.limit(which, side, shares, price(limit)))

    def on_order_filled(self, event) -> None:
        self.fills.append(
            (
                event.instrument_id.symbol.value,
                event.order_side.name,
                int(event.last_qty),
                nanos_of(event.last_px),
            )
        )


def walk(seed: int, minutes: int, gaps: bool) -> list[Batch]:
    """Return bars of a random walk on whole cents; without gaps a bar opens at the last close."""
    dice = random.Random(seed)
    last = dict.fromkeys(SYMBOLS, 100 * 100 * CENT)
    found = []
    for minute in range(1, minutes + 1):
        bars = []
        for symbol in SYMBOLS:
            opened = last[symbol] + (dice.randint(-40, 40) * CENT if gaps else 0)
            close = opened + dice.randint(-60, 60) * CENT
            high = max(opened, close) + dice.randint(0, 30) * CENT
            low = min(opened, close) - dice.randint(0, 30) * CENT
            last[symbol] = close
            bars.append(MarketBar(symbol, opened, high, low, close, 1_000_000))
        found.append(Batch(session_of(DAY).open_ns + minute * MINUTE, tuple(bars)))
    return found


async def through_the_shim(folder: Path, batches: Sequence[Batch]) -> Trader:
    strategy = Trader()
    async with real(folder, [strategy], SYMBOLS) as session:
        for batch in batches:
            await session.play(batch)
        await until(lambda: not waiting(strategy))
        assert session.faults == []
        assert session.engine.picture_differences() == {}
    return strategy


class Direct:
    """A run in which the engine's verbs go straight to the engine."""

    def __init__(self, delivery: Delivery, bar_types) -> None:
        self.bar_types = bar_types
        self.book = self.books = self.desk = self.stops = None
        self.faults = SimpleNamespace(on_fault=lambda _action: None)
        self.after_fault = delivery.arrive
        self.native = SimpleNamespace()
        self.now = lambda: 0
        self.begun = False
        self._delivery = delivery

    def connect(self, verbs, factory, clock) -> None:
        self.native.submit = lambda order, **_options: verbs.submit(order)

    def begin(self) -> None:
        self.begun = True

    def guard(self, function, _handler):
        return function

    def bar_handlers(self, names, on_bar):
        self._delivery.reads(names.values(), lambda bar, _symbol: on_bar(bar))
        return self._delivery.arrive, lambda bar: names[bar.bar_type]

    def event_handler(self, user):
        return user or (lambda _event: None)


async def through_the_sandbox(batches: Sequence[Batch]) -> Trader:
    strategy = Trader()
    bar_types = {one: bar_type(one, Resolution.MINUTE) for one in SYMBOLS}
    delivery = Delivery(bar_types)
    run = Direct(delivery, bar_types)
    strategy.bind(run)
    bars = Bars([equity(Instrument(symbol=one)) for one in SYMBOLS])
    builder = LiveNodeBuilder.from_config(
        "sandbox",
        LiveNodeConfig(
            environment=Environment.SANDBOX,
            trader_id=TraderId("SANDBOX-001"),
            logging=LoggerConfig(bypass_logging=True),
            cache=CacheConfig(bar_capacity=16),
            delay_post_stop_secs=0.0,
            exec_engine=LiveExecutionEngineConfig(reconciliation=False),
        ),
    )
    builder.add_data_client("SHIM", bars, DataClientConfig())
    builder.add_simulated_exec_client(
        "SANDBOX",
        SandboxExecutionClientFactory(),
        SandboxExecutionClientConfig(
            VENUE,
            [money(1_000_000 * 100 * CENT)],
            base_currency=USD,
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            fee_model=FixedFeeModel(money(0)),
        ),
    )
    node = builder.build()
    node.add_strategy(strategy)
    handle = node.handle()
    delivery.publish = bars.client.publish
    task = asyncio.create_task(node.run_async(), name="sandbox")
    del node
    await until(lambda: run.begun and bars.client.subscribed == len(SYMBOLS))
    for batch in batches:
        await delivery.run(batch, task)
        await settle()
        await until(lambda: not waiting(strategy))
    handle.stop()
    await task
    return strategy


def waiting(strategy: Trader) -> list[str]:
    """Return the orders that nobody has answered, and market orders that have not filled."""
    return [
        order.client_order_id.value
        for order in strategy.cache.orders()
        if order.status in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
        or (order.order_type == OrderType.MARKET and order.status != OrderStatus.FILLED)
    ]


@pytest.fixture
def folder(tmp_path_factory):
    made: Path = tmp_path_factory.mktemp("b")
    with free_broker(made):
        yield made


@pytest.mark.parametrize("seed", [1, 2], ids=str)
def test_market_and_limit_orders_fill_as_in_the_sandbox(folder, seed: int) -> None:
    batches = walk(seed, 80, gaps=False)
    ours = asyncio.run(through_the_shim(folder, batches))
    theirs = asyncio.run(through_the_sandbox(batches))
    assert len(ours.fills) > 20
    assert sorted(ours.fills) == sorted(theirs.fills)


def test_over_gaps_the_quantities_agree_and_our_limits_take_the_better_open(folder) -> None:
    batches = walk(3, 80, gaps=True)
    ours = asyncio.run(through_the_shim(folder, batches))
    theirs = asyncio.run(through_the_sandbox(batches))
    pairs = list(zip(sorted(ours.fills), sorted(theirs.fills), strict=True))
    assert [mine[:3] for mine, _ in pairs] == [other[:3] for _, other in pairs]
    # The sandbox fills a resting limit at its price even when the bar opens better.
    better = [
        mine[3] < other[3] if mine[1] == "BUY" else mine[3] > other[3]
        for mine, other in pairs
        if mine != other
    ]
    assert better
    assert all(better)
