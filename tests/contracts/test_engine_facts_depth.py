"""What the pinned engine does with books of depth; runs over order books stand on these facts."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import FeeModel, FillModel
from nautilus_trader.model import (
    AccountType,
    AggressorSide,
    BookOrder,
    BookType,
    Currency,
    CurrencyType,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderBook,
    OrderBookDepth,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    StrategyId,
    TradeId,
    TradeTick,
    Venue,
)
from nautilus_trader.persistence import OrderBookDepthDataWrangler
from nautilus_trader.serialization import get_arrow_schema_bytes
from nautilus_trader.trading import Strategy, StrategyConfig

USD9 = Currency("USD", 9, 840, "US dollar", CurrencyType.FIAT)
VENUE = Venue("SIM")
AAA = InstrumentId.from_str("AAA.SIM")
START = 1_704_200_000_000_000_000
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
BIDS = ((100.00, 100), (99.99, 200))
ASKS = ((100.01, 50), (100.02, 70))


def price(value):
    return Price.from_decimal_dp(Decimal(str(value)), 9)


def depth(ms, bids=BIDS, asks=ASKS):
    sides = [
        [BookOrder(side, price(one), Quantity.from_int(size), 0) for one, size in levels]
        for side, levels in ((BUY, bids), (SELL, asks))
    ]
    counts = [[1] * len(side) for side in sides]
    return OrderBookDepth(AAA, *sides, *counts, 0, 0, START + ms * MS, START + ms * MS)


def trade(ms, value, size, aggressor=AggressorSide.SELL):
    ts = START + ms * MS
    quantity = Quantity.from_int(size)
    return TradeTick(AAA, price(value), quantity, aggressor, TradeId(str(ms)), ts, ts)


def quote(ms, bid, ask):
    ts, size = START + ms * MS, Quantity.from_int(100)
    return QuoteTick(AAA, price(bid), price(ask), size, size, ts, ts)


class Free(FeeModel):
    def get_commission(self, order, quantity, px, instrument):
        return Money.from_raw(0, USD9)


class Model(FillModel):
    """Answers with levels of its own; None leaves the fill to the engine."""

    def __new__(cls, *_):
        return super().__new__(cls)

    def __init__(self, levels):
        self.levels = levels
        self.asked = []

    def is_limit_filled(self):
        return True

    def is_slipped(self):
        return False

    def fill_limit_inside_spread(self):
        return False

    def get_orderbook_for_fill_simulation(self, instrument, order, best_bid=None, best_ask=None):
        self.asked.append(str(order.order_type))
        if self.levels is None:
            return None
        book = OrderBook(instrument.id, BookType.L2_MBP)
        against = SELL if order.side == BUY else BUY
        for number, (value, size) in enumerate(self.levels, 1):
            book.add(BookOrder(against, price(value), Quantity.from_int(size), number), 0, 0, 0)
        return book


class Script(Strategy):
    def __init__(self, steps):
        super().__init__(StrategyConfig(strategy_id=StrategyId("S-001"), log_events=False))
        self.steps, self.events, self.heard = steps, [], []

    def on_start(self):
        self.subscribe_book_depth(AAA, BookType.L2_MBP)
        for ms, step in self.steps.items():
            self.clock.set_time_alert_ns(f"t{ms}", START + ms * MS, lambda _, step=step: step(self))

    def on_book_depth(self, book):
        self.heard.append((book.ts_event - START) // MS)

    def on_order_event(self, event):
        self.events.append(event)

    def named(self, name):
        return [event for event in self.events if type(event).__name__ == name]

    def fills(self):
        return [
            (event.client_order_id.value[-1], int(event.last_qty), float(event.last_px.as_double()))
            for event in self.named("OrderFilled")
        ]


def run(steps, data, *, quoted=True, model=None, kind=Script, **options):
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggerConfig(bypass_logging=True), run_analysis=False)
    )
    settings = {
        "book_type": BookType.L2_MBP,
        "liquidity_consumption": True,
        "queue_position": True,
        "reject_stop_orders": False,
        **options,
    }
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USD9)],
        base_currency=USD9,
        default_leverage=Decimal(1000),
        fee_model=Free(),
        fill_model=model,
        **settings,
    )
    engine.add_instrument(Equity(AAA, AAA.symbol, USD9, 9, price("0.000000001"), 0, 0))
    script = kind(steps)
    engine.add_strategy(script)
    engine.add_data([*([quote(-1, 100, 100.01)] if quoted else []), *data])
    engine.run()
    engine.dispose()
    return script


def send(kind, side, quantity, *prices):
    return lambda s: s.submit_order(
        getattr(s.order_factory, kind)(
            AAA, side, Quantity.from_int(quantity), *(price(one) for one in prices)
        )
    )


BOOKS = [depth(ms) for ms in (0, 10, 20, 30)]
LIMIT = {5: send("limit", BUY, 30, 100.00)}


def test_books_alone_deny_market_orders_until_a_quote_was_seen():
    script = run({5: send("market", BUY, 10)}, BOOKS, quoted=False)
    (denied,) = script.named("OrderDenied")
    assert denied.reason.startswith("MARKET_PRICE_UNAVAILABLE")
    assert run({5: send("market", BUY, 10)}, BOOKS).fills() == [("1", 10, 100.01)]


def test_a_quote_does_not_change_a_book_of_depth():
    data = [BOOKS[0], quote(4, 101, 102), *BOOKS[1:]]
    assert run({5: send("market", BUY, 10)}, data).fills() == [("1", 10, 100.01)]


def test_a_market_order_walks_the_levels_and_its_rest_is_never_filled():
    data = [*BOOKS, depth(40, asks=[(100.03, 500)])]
    script = run({5: send("market", BUY, 200)}, data)
    assert script.fills() == [("1", 50, 100.01), ("1", 70, 100.02)]
    assert not script.named("OrderCanceled")


def test_all_levels_fill_before_a_cancel_sent_at_the_first_of_them():
    class Hasty(Script):
        def on_order_filled(self, event):
            if len(self.named("OrderFilled")) == 0:
                self.cancel_order(event.client_order_id)

    script = run({5: send("market", BUY, 200)}, BOOKS, kind=Hasty)
    assert len(script.fills()) == 2
    assert len(script.named("OrderCanceled")) == 1


def test_displayed_shares_are_given_twice_unless_consumption_is_on():
    steps = {5: send("market", BUY, 50), 15: send("market", BUY, 50)}
    assert run(steps, BOOKS).fills() == [("1", 50, 100.01), ("2", 50, 100.02)]
    script = run(steps, BOOKS, liquidity_consumption=False)
    assert script.fills() == [("1", 50, 100.01), ("2", 50, 100.01)]


def test_the_engine_forgets_what_was_consumed_when_a_size_changes_by_one_share():
    # Why `engine.books.taken` keeps its own account.
    data = [*BOOKS[:2], depth(20, asks=[(100.01, 51), (100.02, 70)])]
    steps = {5: send("market", BUY, 50), 25: send("market", BUY, 51)}
    assert run(steps, [*data, depth(30)]).fills()[1:] == [("2", 51, 100.01)]


def test_a_fill_models_levels_replace_the_book_and_its_consumption():
    model = Model([(100.01, 7), (100.03, 9)])
    steps = {5: send("market", BUY, 40), 6: send("market", BUY, 40)}
    fills = run(steps, BOOKS, model=model).fills()
    assert fills == [(one, *level) for one in "12" for level in ((7, 100.01), (9, 100.03))]


def test_a_limit_is_asked_for_again_at_every_book_that_crosses_it():
    model = Model([(100.01, 7)])
    run({5: send("limit", BUY, 100, 100.01)}, BOOKS, model=model)
    assert len(model.asked) > 3


def test_a_fill_models_level_decides_the_price_of_a_resting_limit_that_is_crossed():
    model = Model([(99.99, 12)])
    crossed = depth(20, [(99.98, 100)], [(99.99, 10), (100.0, 10)])
    assert run(LIMIT, [*BOOKS[:2], crossed], model=model).fills() == [("1", 12, 99.99)]


@pytest.mark.parametrize(
    ("records", "filled"),
    [
        ([trade(11, 100.00, 60), depth(12, [(100.00, 40)])], 0),
        ([trade(11, 100.00, 110), depth(12, [(99.99, 200)])], 10),
        ([trade(11, 100.00, 200), depth(12, [(99.99, 200)])], 30),
        ([trade(11, 100.00, 300, AggressorSide.BUY)], 0),
        ([depth(11, [(100.00, 20)]), trade(12, 100.00, 30)], 10),
        ([depth(11, [(100.00, 300)]), trade(12, 100.00, 120)], 20),
        ([trade(11, 100.00, 300, AggressorSide.NO_AGGRESSOR)], 30),
    ],
    ids=[
        "less than the queue",
        "queue and ten",
        "all",
        "the other side's taker",
        "the queue has shrunk",
        "others joined behind",
        "nobody's taker counts for both sides",
    ],
)
def test_a_resting_limit_fills_after_the_queue_ahead_of_it(records, filled):
    script = run(LIMIT, [*BOOKS[:2], *records, depth(30)], model=Model(None))
    assert sum(quantity for _, quantity, _ in script.fills()) == filled


def test_two_orders_of_ours_share_one_trade():
    steps = {5: send("limit", BUY, 30, 100.00), 6: send("limit", BUY, 30, 100.00)}
    script = run(steps, [*BOOKS[:2], trade(11, 100.00, 145), depth(30)], model=Model(None))
    assert script.fills() == [("1", 30, 100.0), ("2", 15, 100.0)]


def test_a_limit_deeper_than_the_book_shows_counts_as_first_in_its_queue():
    # Why `engine.books.desk` holds such an order until its level is in view.
    steps = {5: send("limit", BUY, 30, 99.90)}
    data = [*BOOKS[:2], depth(11, [(99.90, 500)]), trade(12, 99.90, 20), depth(30)]
    assert run(steps, data).fills() == [("1", 20, 99.9)]


def test_a_book_that_was_emptied_leaves_a_limit_first_in_its_queue():
    # Why `engine.books.desk` takes limits back when a book is gone.
    data = [*BOOKS[:2], depth(11, [], []), depth(12), trade(13, 100.00, 30), depth(30)]
    assert run(LIMIT, data).fills() == [("1", 30, 100.0)]


def test_an_empty_side_rejects_market_orders():
    script = run({5: send("market", BUY, 30)}, [depth(0), depth(1, BIDS, []), depth(10)])
    (rejected,) = script.named("OrderRejected")
    assert rejected.reason.startswith("No market")


@pytest.mark.parametrize(
    "record",
    [depth(11, [(99.99, 200)]), trade(11, 99.99, 5)],
    ids=["the bid falls to it", "a trade at it"],
)
def test_bid_or_trade_sets_off_a_stop_that_then_takes_the_bid(record):
    script = run({5: send("stop_market", SELL, 30, 99.995)}, [*BOOKS[:2], record, depth(30)])
    ((_, quantity, at),) = script.fills()
    assert (quantity, at) == (30, 99.99 if isinstance(record, OrderBookDepth) else 100.0)


def test_a_stop_that_finds_nothing_is_cancelled_by_the_engine():
    crossed = depth(11, [(100.01, 5)], [(100.02, 10)])
    steps = {5: send("stop_market", BUY, 30, 100.02)}
    script = run(steps, [*BOOKS[:2], crossed, depth(30)], model=Model([]))
    assert len(script.named("OrderCanceled")) == 1


def test_a_timer_fires_after_the_book_of_its_own_nanosecond():
    data = [depth(0), depth(10, asks=[(100.05, 50)]), depth(20)]
    assert run({10: send("market", BUY, 10)}, data).fills() == [("1", 10, 100.05)]


def test_the_wrangler_builds_books_with_as_many_levels_as_each_has():
    schema = pa.ipc.read_schema(pa.py_buffer(get_arrow_schema_bytes(OrderBookDepth)))
    metadata = {**(schema.metadata or {}), **OrderBookDepth.get_metadata(AAA, 9, 0)}
    kind = schema.field("bids").type

    def level(value, size):
        return {"price": Decimal(value), "size": Decimal(size), "count": 0, "order_id": 0}

    sides = [[[level("100.00", 100), level("99.9999", 7)], []], [[level("100.01", 50)], []]]
    times = pa.array(np.array([START, START + 1])).cast(pa.timestamp("ns", tz="UTC"))
    batch = pa.RecordBatch.from_arrays(
        [
            *(pa.array(side, kind) for side in sides),
            pa.array([0, 0], pa.uint8()),
            pa.array([0, 0], pa.uint64()),
            times,
            times,
            pa.nulls(2, pa.string()),
        ],
        schema=schema.with_metadata(metadata),
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    wrangler = OrderBookDepthDataWrangler(str(AAA), 9, 0)
    first, second = wrangler.process_record_batch_bytes(sink.getvalue().to_pybytes())
    assert [(one.price.as_decimal(), int(one.size)) for one in first.bids] == [
        (Decimal("100.000000000"), 100),
        (Decimal("99.999900000"), 7),
    ]
    assert [len(side) for side in (first.asks, second.bids, second.asks)] == [1, 0, 0]
    assert second.ts_init == START + 1
