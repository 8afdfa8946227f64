import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.brokers.simulated import parsing
from tradingd.domain.broker_reports import BrokerStatus, FillUpdate, OrderUpdate
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.domain.orders import OrderType, Side

ORDER = {
    "client_order_id": "a",
    "broker_order_id": "s-O1",
    "symbol": "SPY",
    "side": "SELL",
    "quantity": 10,
    "filled": 3,
    "type": "STOP_LIMIT",
    "limit": "99.5",
    "stop": "100.000000001",
    "time_in_force": "GTC",
    "status": "WORKING",
    "reason": "",
    "ts": 7,
}


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_amounts_are_written_exactly(amount):
    assert nanos(parsing.wire(amount)) == amount


def test_an_order_event_becomes_a_domain_order():
    update = parsing.event({"seq": 1, "event": "order", "order": ORDER})
    assert isinstance(update, OrderUpdate)
    order = update.order
    assert (order.side, order.type) == (Side.SELL, OrderType.STOP_LIMIT)
    assert order.status is BrokerStatus.WORKING
    assert (order.limit, order.stop) == (99_500_000_000, 100_000_000_001)


def test_a_fill_event_becomes_a_domain_fill():
    fill = {"fill_id": "f", "client_order_id": "a", "broker_order_id": "b", "symbol": "SPY"}
    fill |= {"side": "BUY", "quantity": 2, "price": "1.5", "commission": "1", "ts": 3}
    update = parsing.event({"event": "fill", "fill": fill})
    assert isinstance(update, FillUpdate)
    assert (update.fill.price, update.fill.commission) == (1_500_000_000, 1_000_000_000)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "weather"},
        {"event": "order", "order": None},
        {"event": "order", "order": ORDER | {"status": "LIMBO"}},
        {"event": "fill", "fill": {"fill_id": "f"}},
    ],
    ids=["empty", "unknown", "no order", "unknown status", "half a fill"],
)
def test_an_event_that_cannot_be_read_is_an_error(body):
    with pytest.raises(msgspec.ValidationError):
        parsing.event(body)


def test_a_request_is_written_in_wire_words():
    request = OrderRequest(
        client_order_id="a",
        symbol="SPY",
        side=Side.BUY,
        quantity=5,
        type=OrderType.LIMIT,
        limit=nanos("10.01"),
    )
    fields = parsing.submit_fields(request)
    assert (fields["side"], fields["type"], fields["limit"]) == ("BUY", "LIMIT", "10.01")
    assert (fields["stop"], fields["time_in_force"]) == (None, "DAY")


def test_a_corporate_action_is_written_in_wire_words():
    action = CorporateAction(
        symbol="AAPL",
        ex_date=dt.date(2014, 6, 9),
        kind=ActionKind.SPLIT,
        numerator=7,
    )
    fields = parsing.action_fields(action, 5)
    assert (fields["kind"], fields["ex_date"], fields["ts"]) == ("split", "2014-06-09", 5)
    assert (fields["numerator"], fields["denominator"], fields["amount"]) == (7, 1, "0")
