"""Alpaca's own client library gets right data."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.simalpaca_data.data_server import flat, ns, served, service, until
from tests.integration.simalpaca_data.data_store import build
from tradingd.simalpaca.marketdata.service import Service

# The library still uses the legacy client of websockets.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

T = ns("2024-01-02T14:31:00")
UTC = dt.UTC


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("store"))


def historical(data: Service, ask: Callable[[Any], Any]) -> Any:
    """What the library's client returns; it blocks, so it runs in a thread."""
    from alpaca.data.historical.stock import StockHistoricalDataClient

    async def run() -> Any:
        async with served(data) as url:
            client = StockHistoricalDataClient("PKTEST", "shh", url_override=url)
            try:
                return await asyncio.to_thread(ask, client)
            finally:
                client._session.close()

    return asyncio.run(run())


def test_bars_come_over_pages_as_models(root: Path) -> None:
    from alpaca.data.requests import StockBarsRequest
    from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

    def ask(client: Any) -> Any:
        span = {
            "symbol_or_symbols": ["SPY", "AAPL"],
            "start": dt.datetime(2024, 1, 2, tzinfo=UTC),
            "end": dt.datetime(2024, 1, 4, tzinfo=UTC),
        }
        return (
            client.get_stock_bars(StockBarsRequest(timeframe=TimeFrame.Minute, **span)),
            client.get_stock_bars(StockBarsRequest(timeframe=TimeFrame.Minute, **span, limit=7)),
            client.get_stock_bars(
                StockBarsRequest(timeframe=TimeFrame(30, TimeFrameUnit.Minute), **span)
            ),
            client.get_stock_bars(
                StockBarsRequest(timeframe=TimeFrame.Day, adjustment="split", **span)
            ),
        )

    minutes, seven, halves, days = historical(service(root), ask)
    assert {symbol: len(rows) for symbol, rows in minutes.data.items()} == {"AAPL": 780, "SPY": 780}
    first = minutes.data["SPY"][0]
    assert first.timestamp == dt.datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
    assert (first.close, first.volume, first.vwap) == (470.0, 100, 470.0)
    assert {symbol: len(rows) for symbol, rows in seven.data.items()} == {"AAPL": 7}
    assert len(halves.data["SPY"]) == 26
    assert [one.close for one in days.data["SPY"]] == [236.945, 241.945]
    assert len(minutes.df) == 1_560


def test_quotes_trades_latest_and_snapshots_come_as_models(root: Path) -> None:
    from alpaca.data.requests import (
        StockLatestBarRequest,
        StockLatestQuoteRequest,
        StockLatestTradeRequest,
        StockQuotesRequest,
        StockSnapshotRequest,
        StockTradesRequest,
    )

    span = {"symbol_or_symbols": "TICK", "start": dt.datetime(2024, 1, 3, tzinfo=UTC)}

    def ask(client: Any) -> Any:
        names = {"symbol_or_symbols": ["SPY", "AAPL"]}
        return (
            client.get_stock_quotes(StockQuotesRequest(**span)),
            client.get_stock_trades(StockTradesRequest(**span)),
            client.get_stock_latest_bar(StockLatestBarRequest(**names)),
            client.get_stock_latest_quote(StockLatestQuoteRequest(**names, feed="iex")),
            client.get_stock_latest_trade(StockLatestTradeRequest(**names)),
            client.get_stock_snapshot(StockSnapshotRequest(**names)),
        )

    data = service(root, now=lambda: ns("2024-01-03T15:00:01"))
    quotes, trades, bars, latest, last, snapshots = historical(data, ask)
    assert [one.bid_price for one in quotes.data["TICK"]] == [9.99, 9.98, 0.0]
    assert [one.price for one in trades.data["TICK"]] == [10.0, 10.01, 10.02, 10.03]
    assert bars["SPY"].close == last["SPY"].price == 480.29
    assert latest["AAPL"].bid_price < 200.29 < latest["AAPL"].ask_price
    assert snapshots["SPY"].previous_daily_bar.close == 473.89
    assert snapshots["SPY"].daily_bar.close == 480.29


def test_corporate_actions_come_as_models(root: Path) -> None:
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.requests import CorporateActionsRequest

    async def run() -> Any:
        async with served(service(root)) as url:
            client = CorporateActionsClient("PKTEST", "shh", url_override=url)
            wanted = CorporateActionsRequest(start=dt.date(2024, 1, 1), end=dt.date(2024, 2, 1))
            try:
                return await asyncio.to_thread(client.get_corporate_actions, wanted)
            finally:
                client._session.close()

    found = asyncio.run(run()).data
    assert sorted(found) == [
        "cash_dividends",
        "forward_splits",
        "name_changes",
        "reverse_splits",
        "worthless_removals",
    ]
    assert found["forward_splits"][0].new_rate == 2
    assert found["cash_dividends"][0].rate == 1.906
    assert found["name_changes"][0].old_symbol == "FB"


def test_a_refusal_reaches_the_client_as_its_own_error(root: Path) -> None:
    from alpaca.common.exceptions import APIError
    from alpaca.data.requests import StockLatestBarRequest

    def ask(client: Any) -> Any:
        with pytest.raises(APIError) as error:
            client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="no/such"))
        return error.value.status_code, error.value.code, error.value.message

    status, code, message = historical(service(root), ask)
    assert (status, code) == (400, 40_010_001)
    assert message == "invalid symbol: no/such"


def test_the_stream_client_gets_bars_quotes_trades_and_statuses() -> None:
    from alpaca.data.live.stock import StockDataStream

    async def run() -> list[Any]:
        got: list[Any] = []
        data = service(now=lambda: T)

        async def take(message: Any) -> None:
            got.append(message)

        async with served(data) as url:
            client = StockDataStream(
                "PKTEST", "shh", url_override=url.replace("http", "ws") + "/v2/sip"
            )
            client.subscribe_bars(take, "SPY", "AAPL")
            client.subscribe_daily_bars(take, "SPY")
            client.subscribe_quotes(take, "*")
            client.subscribe_trades(take, "SPY")
            client.subscribe_trading_statuses(take, "*")
            task = asyncio.create_task(client._run_forever())
            await until(lambda: data._streams.wanted("statuses"))
            data.publish(T, [flat("SPY", 470.25), flat("AAPL", 190.5)])
            data.misbehave({"statuses": [{"symbol": "SPY", "status": "halt"}]})
            await until(lambda: len(got) == 7)
            await client.stop_ws()
            data.publish(T + 60_000_000_000, [flat("SPY", 470.25)])
            await asyncio.wait_for(task, 30)
        return got

    logging.getLogger("alpaca").setLevel(logging.ERROR)
    trade, spy_quote, aapl_quote, spy, aapl, day, halt = asyncio.run(run())[:7]
    start = dt.datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
    assert (trade.symbol, trade.price, trade.size) == ("SPY", 470.25, 100)
    assert trade.timestamp == start + dt.timedelta(minutes=1)
    assert (spy_quote.bid_price, spy_quote.ask_price) == (470.2029, 470.2971)
    assert aapl_quote.symbol == "AAPL"
    assert (spy.symbol, spy.timestamp, spy.close) == ("SPY", start, 470.25)
    assert (aapl.close, aapl.volume) == (190.5, 100)
    assert day.timestamp == dt.datetime(2024, 1, 2, 5, tzinfo=UTC)
    assert (halt.status_code, halt.status_message) == ("H", "Trading Halt")


def test_the_stream_client_comes_back_after_its_connection_broke() -> None:
    from alpaca.data.live.stock import StockDataStream

    async def run() -> list[float]:
        got: list[float] = []
        data = service(now=lambda: T)

        async def take(message: Any) -> None:
            got.append(message.close)

        async def received(price: float) -> None:
            await until(lambda: got[-1:] == [price])

        async with served(data) as url:
            client = StockDataStream(
                "PKTEST", "shh", url_override=url.replace("http", "ws") + "/v2/iex"
            )
            client._reconnect_min_backoff = 0.05
            client.subscribe_bars(take, "SPY")
            task = asyncio.create_task(client._run_forever())
            for price in (470.0, 471.0):
                await until(lambda: data._streams.wanted("bars"))
                data.publish(T + int(price), [flat("SPY", price)])
                await received(price)
                if price == 470.0:
                    data.misbehave({"close_now": True})
                    await until(lambda: not data._streams.wanted("bars"))
            data.misbehave({"close_now": True})
            await client.stop_ws()
            await asyncio.wait_for(task, 30)
        return got

    assert asyncio.run(run()) == [470.0, 471.0]
