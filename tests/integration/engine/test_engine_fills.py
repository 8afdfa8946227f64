"""What price and how many shares each kind of order gets."""

import pytest

from tests.integration.engine.engine_kit import (
    PerShare,
    Script,
    Slip,
    daily,
    minutes,
    session_close,
    session_open,
    simulate,
)
from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
BARS = [
    (100, 101, 99, 100.5),
    (101, 103, 100, 102),
    (102.5, 104, 95, 96),
    (90, 92, 88, 91),
    (91, 93, 90, 92),
]
MS_250 = 250_000_000


def prices(ran):
    return [fill.price for fill in ran.tables.fills]


def test_market_order_decided_at_a_daily_close_fills_at_the_next_open():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    (fill,) = ran.tables.fills
    assert fill.price == fill.touch_price == nanos("101")
    assert fill.ts == session_open("2024-01-03") + 1


def test_market_order_on_minute_bars_fills_at_the_next_bars_open_after_the_latency():
    rows = minutes(
        "AAA", "2024-01-02", [(10, 10, 10, 10), (10.2, 10.5, 10, 10.4), (11, 11, 11, 11)]
    )
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    ran = simulate(script, rows, Resolution.MINUTE)
    (fill,) = ran.tables.fills
    assert fill.price == nanos("10.2")
    assert fill.ts == session_open("2024-01-02") + 60_000_000_000 + MS_250


def test_without_latency_a_market_order_fills_at_the_close_just_seen():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    ran = simulate(script, daily("AAA", DAYS, BARS), latency_ms=0)
    (fill,) = ran.tables.fills
    assert (fill.price, fill.ts) == (nanos("100.5"), session_close("2024-01-02"))


def test_every_symbol_fills_at_its_own_next_open():
    rows = daily("AAA", DAYS, BARS) + daily(
        "BBB", [DAYS[0], *DAYS[2:]], [(50, 50, 50, 50), (51, 51, 51, 51)] + [(52, 52, 52, 52)] * 2
    )

    def both(s):
        s.enter("AAA", Side.BUY, 1, reason="a")
        s.enter("BBB", Side.SELL, 1, reason="b")

    ran = simulate(Script({1: both}), rows)
    found = {fill.symbol: (fill.price, fill.ts) for fill in ran.tables.fills}
    # BBB has no bar on the third: its order waits for the fourth.
    assert found == {
        "AAA": (nanos("101"), session_open("2024-01-03") + 1),
        "BBB": (nanos("51"), session_open("2024-01-04") + 1),
    }


def test_an_order_that_no_bar_follows_expires():
    script = Script({4: lambda s: s.enter("AAA", Side.BUY, 10, reason="too late")})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    (order,) = ran.tables.orders
    assert (order.status, order.filled_quantity) == ("EXPIRED", 0)


def test_slippage_is_always_against_the_order_and_stands_apart():
    def flip(s):
        s.enter("AAA", Side.SELL, 30, reason="short")

    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go"), 1: flip})
    ran = simulate(script, daily("AAA", DAYS, BARS), slip=Slip("0.03"))
    buy, sell = ran.tables.fills
    assert (buy.touch_price, buy.price) == (nanos("101"), nanos("101.03"))
    assert (sell.touch_price, sell.price) == (nanos("102.5"), nanos("102.47"))
    assert (buy.slippage, sell.slippage) == (nanos("0.30"), nanos("0.90"))


def test_the_slippage_model_sees_only_closes_before_the_bar_that_fills():
    slip = Slip("0.01")
    script = Script({2: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    seen = []
    original = slip.per_share

    def watching(symbol, price, tick):
        seen.append([close for _, close in slip.seen])
        return original(symbol, price, tick)

    slip.per_share = watching
    simulate(script, daily("AAA", DAYS, BARS), slip=slip)
    assert seen == [[nanos("100.5"), nanos("102"), nanos("96")]]


def test_a_resting_limit_fills_at_its_price_without_slippage():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="dip", limit=100.2)})
    ran = simulate(script, daily("AAA", DAYS, BARS), slip=Slip("0.05"))
    (fill,) = ran.tables.fills
    assert (fill.price, fill.slippage) == (nanos("100.2"), 0)
    assert fill.ts == session_close("2024-01-03")


def test_a_resting_limit_that_the_bar_opens_through_fills_at_the_open():
    script = Script({2: lambda s: s.enter("AAA", Side.BUY, 10, reason="dip", limit=92)})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert prices(ran) == [nanos("90")]


def test_a_marketable_limit_pays_slippage_but_never_more_than_its_limit():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="now", limit=101.02)})
    ran = simulate(script, daily("AAA", DAYS, BARS), slip=Slip("0.05"))
    (fill,) = ran.tables.fills
    assert (fill.touch_price, fill.price) == (nanos("101"), nanos("101.02"))


def test_a_limit_beyond_the_next_open_does_not_fill_at_the_stale_close():
    # Decided at the close of 96 with limit 95: the next bar opens at 97 and never trades below.
    bars = [(96, 96, 96, 96), (97, 99, 96.5, 98), (98, 99, 97, 98)]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="dip", limit=96.2)})
    ran = simulate(script, daily("AAA", DAYS[:3], bars))
    assert ran.tables.fills == []
    assert ran.tables.orders[0].status == "EXPIRED"


def test_a_large_market_order_takes_its_share_of_each_bar_until_it_is_filled():
    bars = [(*bar, 1_000) for bar in BARS]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 250, reason="big")})
    ran = simulate(script, daily("AAA", DAYS, bars), participation=10.0)
    assert [(fill.quantity, fill.price) for fill in ran.tables.fills] == [
        (100, nanos("101")),
        (100, nanos("102.5")),
        (50, nanos("90")),
    ]
    (order,) = ran.tables.orders
    assert (order.status, order.filled_quantity) == ("FILLED", 250)
    # (100 x 101 + 100 x 102.5 + 50 x 90) / 250
    assert order.average_price == nanos("99.4")


def test_two_orders_share_the_participation_cap_of_one_bar():
    bars = [(*bar, 1_000) for bar in BARS]

    def two(s):
        s.enter("AAA", Side.BUY, 70, reason="first")
        s.enter("AAA", Side.BUY, 70, reason="second")

    ran = simulate(Script({0: two}), daily("AAA", DAYS, bars), participation=10.0)
    first_day = session_open("2024-01-03") + 1
    assert sum(fill.quantity for fill in ran.tables.fills if fill.ts == first_day) == 100
    assert sum(fill.quantity for fill in ran.tables.fills) == 140


def test_a_resting_limit_is_capped_bar_by_bar_too():
    bars = [(*bar, 1_000) for bar in BARS]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 250, reason="dip", limit=100.2)})
    ran = simulate(script, daily("AAA", DAYS, bars), participation=10.0)
    assert [fill.quantity for fill in ran.tables.fills] == [100, 100, 50]


def test_a_bar_without_volume_fills_nothing_under_a_cap():
    bars = [(*BARS[0], 1_000), (*BARS[1], 0), (*BARS[2], 1_000)]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    ran = simulate(script, daily("AAA", DAYS[:3], bars), participation=10.0)
    assert prices(ran) == [nanos("102.5")]


def test_the_order_minimum_is_charged_once_for_an_order_filled_in_parts():
    bars = [(*bar, 1_000) for bar in BARS]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 250, reason="big")})
    ran = simulate(
        script, daily("AAA", DAYS, bars), participation=10.0, fees=PerShare("0.005", "1")
    )
    # 100 shares x 0.005 = 0.50 < minimum 1.00; then 200 x 0.005 = 1.00; then 250 x 0.005 = 1.25
    assert [fill.commission for fill in ran.tables.fills] == [nanos("1"), 0, nanos("0.25")]


@pytest.mark.parametrize("price", ["100.1234", "0.000100001"])
def test_prices_with_more_decimals_than_the_tick_stay_exact(price):
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go")})
    ran = simulate(script, daily("AAA", DAYS[:3], [(price,) * 4] * 3))
    assert prices(ran) == [nanos(price)]


def test_cash_after_a_trip_equals_hand_arithmetic():
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in"),
            1: lambda s: s.exit("AAA", reason="out"),
        }
    )
    ran = simulate(script, daily("AAA", DAYS, BARS), slip=Slip("0.05"), fees=PerShare("0.005", "1"))
    # buy 100 at 101.05 + 1.00; sell 100 at 102.45 - 1.00
    assert ran.outcome.final_cash == nanos("1000000") + nanos("138")
    (trip,) = ran.tables.positions
    assert (trip.realised, trip.commission, trip.slippage) == (
        nanos("138"),
        nanos("2"),
        nanos("10"),
    )
    assert (trip.entry_reason, trip.exit_reason, trip.bars_held) == ("in", "out", 1)
