"""Every kind of native order is either said to the shim in full, or refused with a reason."""

import asyncio
from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.model import OrderSide, OrderStatus, Quantity, TimeInForce, TrailingOffsetType

from tests.integration.engine_live.live_kit import Live, Script, TinyShim, settle
from tests.integration.engine_live.test_live_native_verbs import AAA, BATCHES, at, market, session
from tradingd.domain import broker_requests
from tradingd.domain.journal import DecisionRow, OrderState
from tradingd.domain.money import nanos
from tradingd.domain.orders import OrderType, Purpose
from tradingd.domain.trading import Step
from tradingd.gate.book import Book

TEN = Quantity.from_int(10)


def submitted(make):
    def act(strategy):
        order = make(strategy.order_factory)
        strategy.submit_order(order)
        return order

    return act


def wish_of(make):
    _, live = session({1: market, 3: submitted(make)})
    return live.shim.wishes[-1]


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        (TimeInForce.DAY, broker_requests.TimeInForce.DAY),
        (TimeInForce.GTC, broker_requests.TimeInForce.GTC),
        (TimeInForce.IOC, broker_requests.TimeInForce.IOC),
        (TimeInForce.FOK, broker_requests.TimeInForce.FOK),
        (TimeInForce.AT_THE_OPEN, broker_requests.TimeInForce.OPG),
        (TimeInForce.AT_THE_CLOSE, broker_requests.TimeInForce.CLS),
    ],
)
def test_a_limits_time_in_force_reaches_the_shim(native, ours) -> None:
    wish = wish_of(lambda f: f.limit(AAA, OrderSide.BUY, TEN, at(90), time_in_force=native))
    assert (wish.type, wish.time_in_force) == (OrderType.LIMIT, ours)


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        (TimeInForce.GTC, broker_requests.TimeInForce.DAY),
        (TimeInForce.AT_THE_CLOSE, broker_requests.TimeInForce.CLS),
        (TimeInForce.IOC, broker_requests.TimeInForce.IOC),
    ],
)
def test_a_market_order_waits_for_an_auction_and_for_nothing_else(native, ours) -> None:
    wish = wish_of(lambda f: f.market(AAA, OrderSide.BUY, TEN, time_in_force=native))
    assert wish.time_in_force is ours


@pytest.mark.parametrize(
    ("offset", "kind", "trail", "bps"),
    [
        (Decimal("0.25"), TrailingOffsetType.PRICE, nanos("0.25"), None),
        (Decimal(150), TrailingOffsetType.BASIS_POINTS, None, 150),
    ],
)
def test_a_trailing_stop_is_an_exit_of_its_own_with_its_distance(offset, kind, trail, bps) -> None:
    wish = wish_of(
        lambda f: f.trailing_stop_market(
            AAA, OrderSide.SELL, TEN, offset, trailing_offset_type=kind, reduce_only=True
        )
    )
    assert (wish.type, wish.purpose) == (OrderType.TRAILING_STOP, Purpose.EXIT)
    assert (wish.trail, wish.trail_bps, wish.stop) == (trail, bps, None)


REFUSED = {
    "time in force": lambda f: f.limit(
        AAA, OrderSide.BUY, TEN, at(90), time_in_force=TimeInForce.GTD, expire_time=2**62
    ),
    "fraction": lambda f: f.limit(AAA, OrderSide.BUY, Quantity.from_str("1.5"), at(90)),
    "notional": lambda f: f.market(AAA, OrderSide.BUY, TEN, quote_quantity=True),
    "iceberg": lambda f: f.limit(AAA, OrderSide.BUY, TEN, at(90), display_qty=Quantity.from_int(1)),
    "post-only": lambda f: f.limit(AAA, OrderSide.BUY, TEN, at(90), post_only=True),
    "order of type": lambda f: f.market_if_touched(AAA, OrderSide.BUY, TEN, at(90)),
    "trailing offset": lambda f: f.trailing_stop_market(
        AAA, OrderSide.SELL, TEN, Decimal(3), trailing_offset_type=TrailingOffsetType.TICKS
    ),
    "price to begin at": lambda f: f.trailing_stop_market(
        AAA,
        OrderSide.SELL,
        TEN,
        Decimal(1),
        trailing_offset_type=TrailingOffsetType.PRICE,
        activation_price=at(120),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_said_is_refused_with_a_reason(what) -> None:
    strategy, live = session({1: submitted(REFUSED[what])})
    assert live.shim.wishes == []
    assert strategy.results[0].status == OrderStatus.DENIED
    (denied,) = live.journal.of(DecisionRow)
    assert denied.limit == "engine"
    assert what in denied.observed
    assert denied.allowed


def test_what_would_have_been_sent_is_a_cancel_to_the_strategy() -> None:
    class Shadowing(TinyShim):
        def _sent(self, order_id: str) -> None:
            row = msgspec.structs.replace(self.rows[order_id], state=OrderState.SHADOW)
            self._step(row, Step.WOULD_HAVE, "would have sent it")

    async def run() -> list[OrderStatus]:
        book = Book(nanos(1_000_000))
        strategy = Script({1: market})
        async with Live(strategy, shim=Shadowing(book), book=book) as live:
            await live.play(*BATCHES)
            await settle()
            assert live.faults == []
            return [order.status for order in strategy.cache.orders()]

    assert asyncio.run(run()) == [OrderStatus.CANCELED]
