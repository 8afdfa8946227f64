"""The price before slippage, case by case (see the table in `tradingd.engine.fills`)."""

import pytest

from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.engine.fills import touch_price
from tradingd.engine.tape import TapeBar
from tradingd.engine.ticket import Ticket

BAR = TapeBar(start=100, end=200, open=50, volume=1_000)


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
    ],
)
def test_touch_price(order, now, expected):
    trigger = order.stop
    assert touch_price(order, trigger, BAR, now, 47) == expected


def test_without_a_bar_in_memory_the_last_price_counts():
    assert touch_price(ticket(arrived=150), None, None, 150, 47) == (47, False)
