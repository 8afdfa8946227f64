"""Every request of the broker is one that Alpaca's published document allows."""

import asyncio
import contextlib
import itertools
from pathlib import Path

import pytest

from tests.integration.brokers_alpaca.document import Document, Mock
from tests.integration.brokers_alpaca.script import KEYS, ORDER_ID
from tests.integration.brokers_alpaca.test_alpaca_server import complete
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.alpaca.rules import kind_refusal
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.broker_requests import OrderClass, TimeInForce
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    found = real_data / "alpaca"
    if not found.is_dir():
        pytest.skip(f"no published documents in {found}")
    return found


async def everything(broker: AlpacaBroker) -> None:
    """Make every request that the broker can make."""
    for kind, time, one, extended in itertools.product(
        OrderType, TimeInForce, OrderClass, (False, True)
    ):
        if kind_refusal(kind, time, one, extended=extended) is None:
            await broker.submit(complete(kind, time, one, extended))
    # What the mock answers is an example and not an order of ours: answers do not matter here.
    await broker.replace("5680c4bc", quantity=3, limit=2 * SCALE, stop=None)
    client = broker._client
    changes: tuple[dict[str, object], ...] = (
        {"client_order_id": "a~1", "qty": "5", "limit_price": "1.25", "stop_price": "1.2"},
        {"client_order_id": "a~2", "stop_price": "1.2"},
    )
    for change in changes:
        await client.command("PATCH", f"/orders/{ORDER_ID}", change)
    await broker.cancel_at_broker(ORDER_ID)
    reader = broker._reader
    with contextlib.suppress(BrokerUnavailable):
        await broker.cancel_all()
    questions = (
        broker.order("paper-abc1234-000001"),
        reader.order(ORDER_ID, nested=True),
        broker.open_orders(),
        reader.orders(
            {"status": "all", "nested": "true", "symbols": "AAPL", "after": "2026-03-02"}
        ),
        reader.rows("/orders", {"status": "all", "before_order_id": ORDER_ID, "limit": 500}),
        reader.rows("/orders", {"until": "2026-03-02T15:00:00Z", "direction": "desc"}),
        broker.fills(0),
        broker.fills(1_772_463_600_123_456_789),
        broker.adjustments(1_772_463_600_123_456_789),
        reader.activities("FILL", 0, order_id=ORDER_ID),
        reader.rows("/account/activities/FILL", {"direction": "desc", "page_size": 5}),
        reader.rows("/account/activities/FILL", {"page_token": "2026::a", "page_size": 100}),
        broker.positions(),
        broker.account(),
        broker.assets(["AAPL", "BRK.B"]),
        broker.assets([f"A{number}" for number in range(30)]),
        broker.time(),
        broker.ping(),
    )
    for question in questions:
        with contextlib.suppress(BrokerUnavailable):
            await question


def test_a_mock_server_of_the_document_accepts_every_request_of_ours(folder: Path) -> None:
    async def run() -> Mock:
        mock = Mock(folder / "trading-api.relaxed.json")
        async with mock.running() as url:
            broker = AlpacaBroker(KEYS, rest=url, timeout=10, requests_per_minute=100_000)
            broker._client.start()
            await everything(broker)
            await broker.close()
        return mock

    mock = asyncio.run(run())
    assert len(mock.seen) > 50
    assert {seen[0] for seen in mock.seen} == {"GET", "POST", "PATCH", "DELETE"}
    refused = [
        (seen, answer)
        for seen, answer in zip(mock.seen, mock.answers, strict=True)
        if not 200 <= answer[0] < 300
    ]
    assert refused == []
    # Not only the relaxed document: numbers are sent as the texts that the published one wants.
    published = Document(folder / "trading-api.json")
    faults = [(seen, found) for seen in mock.seen if (found := published.faults(*seen))]
    assert faults == []


def test_the_mock_and_the_document_refuse_what_is_wrong(folder: Path) -> None:
    document = Document(folder / "trading-api.json")
    assert document.faults("POST", "/v2/orders", "", b'{"type": "market"}')
    assert document.faults("POST", "/v2/orders", "", b'{"type":"peg","time_in_force":"day"}')
    assert document.faults("GET", "/v2/orders", "limit=many", b"")
    assert document.faults("GET", "/v2/orders", "colour=red", b"")
    assert document.faults("GET", "/v2/order", "", b"")
    assert not document.faults("GET", "/v2/orders", "limit=5&status=all", b"")

    async def run() -> list[tuple[int, str]]:
        mock = Mock(folder / "trading-api.relaxed.json")
        async with mock.running() as url:
            broker = AlpacaBroker(KEYS, rest=url, timeout=10, requests_per_minute=100_000)
            broker._client.start()
            await broker._client.command("POST", "/orders", {"type": "peg"})
            await broker.close()
        return mock.answers

    [(status, _)] = asyncio.run(run())
    assert status == 400
