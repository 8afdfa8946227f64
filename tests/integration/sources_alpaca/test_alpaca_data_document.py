"""What we ask of Alpaca's data API is in its published document, and typed as it says."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.fakes.alpaca_rest_peer import alpaca_rest_peer
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.keys import Keys
from tradingd.vendors.alpaca.values import bar_of, count, instant, price

pytestmark = pytest.mark.real_data

TEN = 1_719_926_400_000_000_000


@pytest.fixture
def documents(real_data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    names = ("market-data-api.json", "trading-api.json")
    market, trading = (json.loads((real_data / "alpaca" / name).read_text()) for name in names)
    return market, trading


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def test_every_request_is_one_of_the_document(
    documents: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    with alpaca_rest_peer() as peer:
        one = DataClient(Keys("key", "secret"), endpoint=peer.url, per_minute=6_000)
        day = dt.date(2024, 7, 2)
        peer.put_bar("AAPL", "1Min", '{"t":"2024-07-02T13:30:00Z"}')
        empty = '{"quotes":{},"trades":{},"next_page_token":null}'
        list(one.bars(["AAPL", "MSFT"], "1Min", start=TEN, end=TEN + 1, feed="iex", asof="-"))
        list(one.bars(["AAPL"], "1Day", start=day, end=day, feed="sip", adjustment="split"))
        peer.next_answers = [(200, {}, empty)] * 2
        list(one.quotes(["AAPL"], start=TEN, feed="iex"))
        list(one.trades(["AAPL"], start=TEN, feed="iex"))
        for kind in ("bars", "quotes", "trades"):
            one.latest(kind, ["AAPL"], feed="delayed_sip")
        list(one.corporate_actions(["AAPL"], start=day, end=day))
        one.calendar(day, day)
        peer.next_answers = [(200, {}, "{}")]
        one.clock()
        asked = list(peer.asked)
    assert len(asked) == 10
    for path, query in asked:
        document = next(one for one in documents if path in one["paths"])
        listed = document["paths"][path]["get"].get("parameters", [])
        known = {item["name"]: item for item in (resolved(document, one) for one in listed)}
        assert query.keys() <= known.keys(), path
        for name, value in query.items():
            schema = {**known[name]["schema"], "components": document["components"]}
            whole = resolved(document, known[name]["schema"]).get("type") == "integer"
            jsonschema.validate(int(value) if whole else value, schema)


def test_the_examples_of_the_document_are_read(
    documents: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    schemas = documents[0]["components"]["schemas"]

    def exact(example: Any) -> Any:
        return json.loads(json.dumps(example), parse_float=Decimal)

    start, bar = bar_of("AAPL", exact(schemas["stock_bar"]["examples"][0]))
    assert start == 1_641_200_400_000_000_000
    assert (bar.close, bar.volume) == (178_080_000_000, 60_937)
    quote = exact(schemas["stock_quote"]["examples"][0])
    assert price(quote["ap"]) == 387_700_000_000
    assert instant(quote["t"]) % 10**9 == 946_977_536
    assert count(exact(schemas["stock_trade"]["examples"][0])["s"]) == 246
