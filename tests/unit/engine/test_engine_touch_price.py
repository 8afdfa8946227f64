"""The price before slippage, case by case (see the table in `tradingd.engine.fills`)."""

import pytest

from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.engine.fills import touch_price
from tradingd.engine.tape import TapeBar
from tradingd.engine.ticket import Ticket

BAR = TapeBar(start=100, end=200, open=50, high=53, low=48, close=51, volume=1_000)


def ticket(side=Side.BUY, *, limit=None, stop=None, arrived=-1):
    return Ticket(
        seq=1,
        order_id="O-000001",
        strategy="test",
        symbol="AAA",
        side=side,
        quantity=10,
        type=OrderType.MARKET,
        purpose=Purpose.ENTRY,
        reason="test",
        ts=0,
        limit=limit,
        stop=stop,
        arrived=arrived,
    )


@pytest.mark.parametrize(
    ("order", "now", "expected"),
    [
        (ticket(arrived=150), 150, (50, False)),
        (ticket(arrived=200), 200, (47, False)),
        (ticket(limit=52, arrived=150), 150, (50, False)),
        (ticket(limit=49, arrived=150), 150, None),
        (ticket(Side.SELL, limit=51, arrived=150), 150, None),
        (ticket(limit=49, arrived=90), 200, (49, True)),
        (ticket(limit=52, arrived=90), 200, (50, True)),
        (ticket(Side.SELL, limit=49, arrived=90), 200, (50, True)),
        (ticket(Side.SELL, stop=48, arrived=90), 200, (48, True)),
        (ticket(Side.SELL, stop=51, arrived=90), 200, (50, True)),
        (ticket(Side.BUY, stop=53, arrived=90), 200, (53, True)),
        (ticket(Side.BUY, stop=49, arrived=90), 200, (50, True)),
        (ticket(Side.SELL, stop=51, arrived=150), 150, (50, False)),
        (ticket(Side.SELL, stop=48, limit=47, arrived=90), 200, (48, True)),
        (ticket(Side.SELL, stop=55, limit=52, arrived=90), 200, (52, True)),
        (ticket(limit=47, arrived=90), 200, None),
        (ticket(Side.SELL, limit=54, arrived=90), 200, None),
        (ticket(Side.SELL, stop=47, arrived=90), 200, None),
        (ticket(Side.BUY, stop=54, arrived=90), 200, None),
        (ticket(limit=52, arrived=90), 150, None),
        (ticket(limit=52, arrived=90), 100, None),
        (ticket(limit=52, arrived=100), 100, None),
        (ticket(arrived=100), 100, None),
        (ticket(Side.SELL, stop=49, arrived=150), 150, None),
        (ticket(Side.BUY, stop=51, arrived=150), 150, None),
        (ticket(Side.SELL, stop=51, arrived=200), 200, (51, False)),
        (ticket(Side.SELL, stop=50, arrived=200), 200, None),
        (ticket(Side.SELL, stop=45, limit=49, arrived=150), 200, None),
        (ticket(Side.SELL, stop=45, limit=49, arrived=90), 200, (50, True)),
        (ticket(Side.SELL, stop=48, limit=54, arrived=90), 200, None),
    ],
    ids=[
        "market inside a bar: its open",
        "market at the close: the close",
        "limit above the open: the open",
        "buy limit below the open: nothing",
        "sell limit above the open: nothing",
        "resting buy limit: its price",
        "resting buy limit, better open: the open",
        "resting sell limit, better open: the open",
        "resting sell stop: its trigger",
        "resting sell stop, gap: the open",
        "resting buy stop: its trigger",
        "resting buy stop, gap: the open",
        "stop through the open on arrival: the open",
        "stop-limit: the trigger",
        "stop-limit through a gap: never worse than the limit",
        "resting buy limit below the low: nothing",
        "resting sell limit above the high: nothing",
        "resting sell stop below the low: nothing",
        "resting buy stop above the high: nothing",
        "resting limit while the bar forms: nothing yet",
        "resting limit between bars: nothing",
        "limit arriving between bars: nothing",
        "market between bars: nothing",
        "sell stop below the open on arrival: nothing",
        "buy stop above the open on arrival: nothing",
        "stop arriving at a close that is through it: the close",
        "stop arriving at a close that is not: nothing",
        "stop-limit not triggered by its first bar: nothing",
        "stop-limit triggered by an earlier bar: a limit",
        "stop-limit with its limit above the high: nothing",
    ],
)
def test_touch_price(order, now, expected):
    trigger = order.stop
    assert touch_price(order, trigger, BAR, now, 47) == expected


def test_without_latency_an_order_between_bars_gets_the_last_price():
    for bar in (None, BAR):
        assert touch_price(ticket(arrived=90), None, bar, 90, 47, prompt=True) == (47, False)


def test_with_latency_nothing_trades_where_no_bar_is():
    for bar in (None, BAR):
        assert touch_price(ticket(arrived=90), None, bar, 90, 47) is None
