"""alpaca-py itself, not our client, makes its documented calls."""

import threading
import warnings
from decimal import Decimal

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.trading import enums, requests
    from alpaca.trading.client import TradingClient
    from alpaca.trading.stream import TradingStream

from tests.integration.simbroker.sim_kit import wait_for

DAY, GTC = enums.TimeInForce.DAY, enums.TimeInForce.GTC
BUY, SELL = enums.OrderSide.BUY, enums.OrderSide.SELL


@pytest.fixture
def client(exchange):
    """alpaca-py's client of the server."""
    made = TradingClient("key", "secret", url_override=exchange.url)
    yield made
    made._session.close()


@pytest.fixture
def symbol(exchange):
    """A symbol of the test's own, at 100 dollars."""
    name = exchange.symbol()
    exchange.bar(name, "100")
    return name


def plain(symbol, side=BUY, time_in_force=DAY, qty=1):
    return {"symbol": symbol, "qty": qty, "side": side, "time_in_force": time_in_force}


def test_account_configuration_clock_calendar_and_assets(client, symbol):
    account = client.get_account()
    assert account.account_number.startswith("PA")
    assert account.status is enums.AccountStatus.ACTIVE
    configuration = client.get_account_configurations()
    configuration.no_shorting = True
    assert client.set_account_configurations(configuration).no_shorting is True
    configuration.no_shorting = False
    client.set_account_configurations(configuration)
    assert client.get_clock().is_open is True
    week = requests.GetCalendarRequest(start="2023-11-20", end="2023-11-24")
    days = client.get_calendar(week)
    assert [day.date.day for day in days] == [20, 21, 22, 24]
    assert days[-1].close.hour == 13
    asset = client.get_asset(symbol)
    assert (asset.tradable, asset.easy_to_borrow) == (True, True)
    listed = client.get_all_assets(requests.GetAssetsRequest(status=enums.AssetStatus.ACTIVE))
    assert symbol in [one.symbol for one in listed]


def test_orders_of_every_type(client, symbol):
    market = client.submit_order(requests.MarketOrderRequest(**plain(symbol, qty=10)))
    wished = [
        requests.LimitOrderRequest(**plain(symbol, SELL), limit_price=120),
        requests.StopOrderRequest(**plain(symbol, SELL, GTC), stop_price=80),
        requests.StopLimitOrderRequest(**plain(symbol, SELL), stop_price=80, limit_price=79),
        requests.TrailingStopOrderRequest(**plain(symbol, SELL), trail_percent=2.5),
        requests.TrailingStopOrderRequest(**plain(symbol, SELL), trail_price=4.5),
    ]
    made = [client.submit_order(one) for one in wished]
    assert client.get_order_by_id(market.id).status is enums.OrderStatus.FILLED
    assert [one.status for one in made] == [enums.OrderStatus.ACCEPTED] * 5
    query = requests.GetOrdersRequest(symbols=[symbol], limit=500)
    assert {one.id for one in client.get_orders(query)} == {one.id for one in made}
    assert client.get_order_by_client_id(made[0].client_order_id).id == made[0].id


def test_orders_of_every_class(client, symbol):
    ties = {
        "take_profit": requests.TakeProfitRequest(limit_price=120),
        "stop_loss": requests.StopLossRequest(stop_price=80, limit_price=79.5),
    }
    bracket = client.submit_order(
        requests.MarketOrderRequest(
            **plain(symbol, qty=2), order_class=enums.OrderClass.BRACKET, **ties
        )
    )
    assert len(bracket.legs) == 2
    oto = client.submit_order(
        requests.LimitOrderRequest(
            **plain(symbol),
            limit_price=95,
            order_class=enums.OrderClass.OTO,
            stop_loss=requests.StopLossRequest(stop_price=90),
        )
    )
    assert [leg.status for leg in oto.legs] == [enums.OrderStatus.HELD]
    nested = requests.GetOrdersRequest(
        symbols=[symbol], nested=True, status=enums.QueryOrderStatus.ALL
    )
    assert {len(one.legs) for one in client.get_orders(nested)} == {1, 2}
    client.cancel_orders()
    oco = client.submit_order(
        requests.LimitOrderRequest(
            **plain(symbol, SELL, GTC, qty=2), order_class=enums.OrderClass.OCO, **ties
        )
    )
    assert [leg.order_type for leg in oco.legs] == [enums.OrderType.STOP_LIMIT]


def test_replace_cancel_and_cancel_all(client, symbol):
    made = client.submit_order(requests.LimitOrderRequest(**plain(symbol), limit_price=90))
    change = requests.ReplaceOrderRequest(limit_price=91.5, qty=3, client_order_id=f"{symbol}~1")
    new = client.replace_order_by_id(made.id, change)
    assert (new.replaces, new.client_order_id) == (made.id, f"{symbol}~1")
    assert client.get_order_by_id(made.id).replaced_by == new.id
    assert Decimal(client.get_order_by_id(new.id).limit_price) == Decimal("91.5")
    client.cancel_order_by_id(new.id)
    with pytest.raises(APIError) as refused:
        client.cancel_order_by_id(new.id)
    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    other = client.submit_order(requests.LimitOrderRequest(**plain(symbol), limit_price=90))
    assert other.id in [one.id for one in client.cancel_orders()]


def test_positions_and_their_closing(client, symbol):
    client.submit_order(requests.MarketOrderRequest(**plain(symbol, qty=10)))
    position = client.get_open_position(symbol)
    assert (position.qty, position.qty_available, position.side) == (
        "10",
        "10",
        enums.PositionSide.LONG,
    )
    assert symbol in [one.symbol for one in client.get_all_positions()]
    closing = client.close_position(symbol, requests.ClosePositionRequest(qty="4"))
    assert client.get_order_by_id(closing.id).status is enums.OrderStatus.FILLED
    closed = client.close_all_positions(cancel_orders=True)
    assert (symbol, 200) in [(one.symbol, one.status) for one in closed]
    with pytest.raises(APIError) as gone:
        client.get_open_position(symbol)
    assert gone.value.status_code == 404


def test_activities_and_history(client, exchange, symbol):
    client.submit_order(requests.MarketOrderRequest(**plain(symbol, qty=10)))
    action = {"symbol": symbol, "ex_date": "2023-11-20", "ts": exchange.ts}
    exchange.tell("corporate_action", kind="dividend", amount="0.5", **action)
    exchange.tell("corporate_action", kind="split", numerator=2, denominator=1, **action)
    exchange.tell("adjust", kind="fee", symbol="", cash="-1.25")
    paid = [one for one in client.get("/account/activities/DIV") if one["symbol"] == symbol]
    assert [(one["net_amount"], one["qty"], one["per_share_amount"]) for one in paid] == [
        ("5", "10", "0.5")
    ]
    split = [one for one in client.get("/account/activities/SPLIT") if one["symbol"] == symbol]
    assert [one["qty"] for one in split] == ["10"]
    assert client.get("/account/activities/FEE")[0]["net_amount"] == "-1.25"
    whole = client.get("/account/activities", {"direction": "asc"})
    pages, token = [], None
    while page := client.get(
        "/account/activities", {"direction": "asc", "page_size": 2, "page_token": token}
    ):
        pages += page
        token = page[-1]["id"]
    assert pages == whole
    assert len({one["id"] for one in whole}) == len(whole)
    trades = client.get("/account/activities", {"category": "trade_activity"})
    assert {one["activity_type"] for one in trades} == {"FILL"}
    history = client.get_portfolio_history()
    assert history.equity[-1] == pytest.approx(float(client.get_account().equity), abs=0.01)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_stream_of_trade_updates(client, exchange, symbol):
    heard = []

    async def hear(update):
        heard.append((update.event, update.order.symbol, update.order.filled_qty, update.qty))

    stream = TradingStream("key", "secret", url_override=f"ws{exchange.url[4:]}/stream")
    stream.subscribe_trade_updates(hear)
    thread = threading.Thread(target=stream.run)
    thread.start()
    try:
        wait_for(lambda: stream._running)
        exchange.ask("GET", "/v2/clock")  # behind the subscription
        client.submit_order(requests.MarketOrderRequest(**plain(symbol, qty=10)))
        wait_for(lambda: len(heard) == 2)
    finally:
        stream.stop()
        client.submit_order(requests.MarketOrderRequest(**plain(symbol)))  # it looks up when told
        thread.join(10)
    assert heard[:2] == [("new", symbol, "0", None), ("fill", symbol, "10", 10.0)]
