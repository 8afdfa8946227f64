"""What the simulated venue of the pinned engine does; our fill model stands on these facts."""

from decimal import Decimal

import pytest
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.core import UUID4
from nautilus_trader.execution import FeeModel, FillModel, StaticLatencyModel
from nautilus_trader.model import (
    AccountType,
    AggressorSide,
    Bar,
    BarType,
    BookOrder,
    BookType,
    Currency,
    CurrencyType,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderBook,
    OrderDenied,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    TradeId,
    TradeTick,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

USD9 = Currency("USD", 9, 840, "US dollar", CurrencyType.FIAT)
VENUE = Venue("SIM")
START = 1_704_200_000_000_000_000
STEP = 60_000_000_000
AAA, BBB = (InstrumentId.from_str(f"{symbol}.SIM") for symbol in ("AAA", "BBB"))


def bar_type(instrument_id):
    return BarType.from_str(f"{instrument_id}-1-MINUTE-LAST-EXTERNAL")


def price(value):
    return Price.from_decimal_dp(Decimal(str(value)), 9)


def bar(number, open_, high, low, close, instrument_id=AAA):
    ts = START + number * STEP
    values = (price(value) for value in (open_, high, low, close))
    return Bar(bar_type(instrument_id), *values, Quantity.from_int(1000), ts, ts)


class Free(FeeModel):
    def get_commission(self, order, quantity, px, instrument):
        return Money.from_raw(1_234_567 * 10**7, USD9)


class Fills(FillModel):
    """Answers every question for liquidity with `answer(order, bid)` -> (price, size) or None."""

    def __new__(cls, *_):
        return super().__new__(cls)

    def __init__(self, answer):
        self.answer = answer

    def is_limit_filled(self):
        return True

    def is_slipped(self):
        return False

    def fill_limit_inside_spread(self):
        return False

    def get_orderbook_for_fill_simulation(self, instrument, order, best_bid=None, best_ask=None):
        level = self.answer(order, best_bid)
        book = OrderBook(instrument.id, BookType.L2_MBP)
        if level is not None:
            side = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
            book.add(BookOrder(side, price(level[0]), Quantity.from_int(level[1]), 1), 0, 0, 0)
        return book


class Script(Strategy):
    def __init__(self, steps):
        super().__init__(StrategyConfig(strategy_id=StrategyId("S-001"), log_events=False))
        self.steps, self.count, self.events, self.said = steps, 0, [], []

    def on_start(self):
        for instrument_id in (AAA, BBB):
            self.subscribe_bars(bar_type(instrument_id))

    def on_bar(self, bar):
        self.said.append(("bar", str(bar.bar_type.instrument_id), self.clock.timestamp_ns()))
        step = self.steps.get(self.count)
        self.count += 1
        if step:
            step(self)

    def on_order_event(self, event):
        self.events.append(event)

    def named(self, name):
        return [event for event in self.events if type(event).__name__ == name]


def run(script, data, answer=lambda order, bid: (bid, 1_000_000), tick="0.000000001", **venue):
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggerConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USD9)],
        base_currency=USD9,
        default_leverage=Decimal(1000),
        fill_model=Fills(answer),
        fee_model=Free(),
        **venue,
    )
    for instrument_id in (AAA, BBB):
        engine.add_instrument(
            Equity(instrument_id, instrument_id.symbol, USD9, 9, price(tick), 0, 0)
        )
    engine.add_strategy(script)
    engine.add_data(data)
    engine.run()
    return engine


def send(kind, side, quantity, *args, **options):
    return lambda s: s.submit_order(
        getattr(s.order_factory, kind)(AAA, side, Quantity.from_int(quantity), *args, **options)
    )


BUY, SELL = OrderSide.BUY, OrderSide.SELL
FLAT = [bar(number, 100, 100, 100, 100) for number in range(4)]


def test_a_capped_book_fills_a_market_order_in_part_and_forgets_the_rest():
    script = Script({0: send("market", BUY, 10)})
    run(script, FLAT, lambda order, bid: (bid, 6))
    assert [int(fill.last_qty) for fill in script.named("OrderFilled")] == [6]


def test_the_rest_of_a_market_order_can_be_cancelled():
    def cancel(s):
        s.cancel_order(s.events[0].client_order_id)

    script = Script({0: send("market", BUY, 10), 1: cancel})
    run(script, FLAT, lambda order, bid: (bid, 6))
    assert len(script.named("OrderCanceled")) == 1


@pytest.mark.parametrize(
    "send_it",
    [send("market", BUY, 10)],
    ids=["market"],
)
def test_an_empty_book_rejects_a_market_order_with_these_words(send_it):
    script = Script({0: send_it})
    run(script, FLAT, lambda order, bid: None)
    (rejected,) = script.named("OrderRejected")
    assert rejected.reason.startswith("No market")


def test_an_empty_book_leaves_a_limit_order_working_and_asks_again():
    asked = []
    script = Script({0: send("limit", BUY, 10, price(101))})
    run(script, FLAT, lambda order, bid: asked.append(order.client_order_id))
    assert len(asked) == 2  # on arrival, then again
    assert not script.named("OrderFilled")


def test_a_fill_between_two_ticks_of_the_instrument_is_dropped_silently():
    script = Script({0: send("market", BUY, 10)})
    run(script, FLAT, lambda order, bid: ("100.005", 100), tick="0.01")
    assert not script.named("OrderFilled")
    script = Script({0: send("market", BUY, 10)})
    run(script, FLAT, lambda order, bid: ("100.005", 100), tick="0.000000001")
    assert [str(fill.last_px) for fill in script.named("OrderFilled")] == ["100.005000000"]


def test_a_fill_at_price_zero_is_a_fill():
    script = Script({0: send("market", BUY, 10)})
    run(script, FLAT, lambda order, bid: (0, 100))
    assert [fill.last_px.as_double() for fill in script.named("OrderFilled")] == [0.0]


def test_a_resting_stop_asks_for_liquidity_when_the_bar_touches_it():
    asked = []

    def answer(order, bid):
        asked.append((str(order.order_type), bid.as_double()))
        return bid, 100

    script = Script(
        {0: lambda s: (send("market", BUY, 10)(s), send("stop_market", SELL, 10, price(97))(s))}
    )
    run(script, [FLAT[0], bar(1, 100, 101, 95, 99), bar(2, 99, 99, 99, 99)], answer)
    # The engine shows the low, not the trigger: pricing a stop is the fill model's work.
    assert asked == [("MARKET", 100.0), ("STOP_MARKET", 95.0)]


def test_a_stop_already_through_the_market_acts_at_once_when_rejection_is_off():
    steps = {
        0: lambda s: (send("market", BUY, 10)(s), send("stop_market", SELL, 10, price(105))(s))
    }
    script = Script(steps)
    run(script, FLAT, reject_stop_orders=False)
    assert len(script.named("OrderFilled")) == 2
    script = Script(steps)
    run(script, FLAT, reject_stop_orders=True)
    assert len(script.named("OrderRejected")) == 1


def test_the_engines_latency_fills_a_bar_late_at_its_close():
    script = Script({0: send("market", BUY, 10)})
    data = [bar(0, 100, 100, 100, 100), bar(1, 101, 104, 100, 103)]
    run(script, data, latency_model=StaticLatencyModel(250_000_000))
    assert [fill.last_px.as_double() for fill in script.named("OrderFilled")] == [103.0]


def test_a_trade_print_moves_the_price_that_stops_are_compared_with():
    def print_at_20(s):
        send("stop_market", BUY, 10, price(25))(s)

    tick = TradeTick(
        AAA,
        price(20),
        Quantity.from_int(1),
        AggressorSide.NO_AGGRESSOR,
        TradeId("1"),
        START + STEP // 2,
        START + STEP // 2,
    )
    script = Script({1: print_at_20})
    data = [FLAT[0], tick, bar(1, 20, 20, 20, 20, BBB), bar(2, 20, 21, 20, 21)]
    run(script, data, reject_stop_orders=False)
    assert not script.named("OrderFilled")


def test_a_timer_of_the_same_nanosecond_fires_after_the_bars_of_all_symbols():
    script = Script({})

    def begin(s):
        s.clock.set_time_alert_ns(
            "x", START + 2 * STEP, lambda e: s.said.append(("timer", "", e.ts_event))
        )

    script.steps = {0: begin}
    data = [bar(n, 10, 10, 10, 10, which) for n in range(4) for which in (AAA, BBB)]
    run(script, data)
    index = next(i for i, said in enumerate(script.said) if said[0] == "timer")
    before = [said[1] for said in script.said[:index] if said[2] == START + 2 * STEP]
    assert sorted(before) == ["AAA.SIM", "BBB.SIM"]


def test_an_order_sent_from_a_timer_is_filled_at_the_timers_time():
    script = Script(
        {
            0: lambda s: s.clock.set_time_alert_ns(
                "x", START + STEP // 4, lambda _: send("market", BUY, 1)(s)
            )
        }
    )
    run(script, FLAT)
    assert [fill.ts_event for fill in script.named("OrderFilled")] == [START + STEP // 4]


def test_money_in_our_nine_decimal_dollar_is_exact():
    script = Script({0: send("market", BUY, 1)})
    engine = run(script, FLAT)
    account = engine.cache.account_for_venue(VENUE)
    assert account.balance_total(USD9).as_decimal() == Decimal("999999.998765433")


def test_a_denied_event_gives_an_unsent_order_its_final_state():
    def deny(s):
        order = s.order_factory.market(AAA, BUY, Quantity.from_int(1))
        now = s.clock.timestamp_ns()
        order.apply(
            OrderDenied(
                s.trader_id, s.strategy_id, AAA, order.client_order_id, "gate", UUID4(), now, now
            )
        )
        s.said.append(str(order.status))

    script = Script({0: deny})
    run(script, FLAT)
    assert "DENIED" in script.said
