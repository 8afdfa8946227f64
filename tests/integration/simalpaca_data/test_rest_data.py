"""What the data REST endpoints answer."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.simalpaca_data.data_server import flat, get, ns, served, service
from tests.integration.simalpaca_data.data_store import build
from tradingd.domain.market import DataKind, Resolution
from tradingd.history.store import Store
from tradingd.simalpaca.marketdata.service import Service

BARS = "/v2/stocks/bars"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("store"))


def ask(data: Service, path: str, **params: str) -> tuple[int, Any]:
    async def asked() -> tuple[int, Any]:
        async with served(data) as url:
            return await get(url, path, **params)

    return asyncio.run(asked())


def pages(data: Service, path: str, name: str, **params: str) -> list[dict[str, Any]]:
    """Every page of an answer."""

    async def asked() -> list[dict[str, Any]]:
        found, token = [], None
        async with served(data) as url:
            while True:
                more = {} if token is None else {"page_token": token}
                status, body = await get(url, path, **params, **more)
                assert status == 200, body
                found.append(body[name])
                token = body["next_page_token"]
                if token is None:
                    return found
                assert len(found) < 50

    return asyncio.run(asked())


def starts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["t"] for row in rows]


def test_a_bar_is_stamped_with_its_start(root: Path) -> None:
    status, body = ask(
        service(root), BARS, symbols="SPY", timeframe="1Min", start="2024-01-02", limit="2"
    )
    assert status == 200
    assert starts(body["bars"]["SPY"]) == ["2024-01-02T14:30:00Z", "2024-01-02T14:31:00Z"]
    assert body["bars"]["SPY"][1] == {
        "t": "2024-01-02T14:31:00Z",
        "o": 470.01,
        "h": 470.01,
        "l": 470.01,
        "c": 470.01,
        "v": 100,
        "n": 1,
        "vw": 470.01,
    }


def test_a_day_begins_at_midnight_in_new_york(root: Path) -> None:
    _, body = ask(service(root), BARS, symbols="SPY", timeframe="1Day", start="2024-01-02")
    assert starts(body["bars"]["SPY"]) == [f"2024-01-0{day}T05:00:00Z" for day in (2, 3, 4)]
    assert [row["c"] for row in body["bars"]["SPY"]] == [473.89, 483.89, 493.89]


def test_days_are_made_of_minutes_where_none_are_stored(root: Path) -> None:
    _, body = ask(service(root), BARS, symbols="AAPL", timeframe="1Day", start="2024-01-02")
    first = body["bars"]["AAPL"][0]
    assert (first["o"], first["h"], first["l"], first["c"]) == (190.0, 193.89, 190.0, 193.89)
    assert (first["v"], first["n"]) == (39_000, 390)


def test_start_and_end_are_inclusive(root: Path) -> None:
    _, body = ask(
        service(root),
        BARS,
        symbols="SPY",
        timeframe="1Min",
        start="2024-01-02T14:31:00Z",
        end="2024-01-02T09:33:00-05:00",
    )
    assert starts(body["bars"]["SPY"]) == [f"2024-01-02T14:3{n}:00Z" for n in (1, 2, 3)]


def test_longer_bars_are_aligned_and_hold_all_their_minutes(root: Path) -> None:
    _, body = ask(
        service(root),
        BARS,
        symbols="SPY",
        timeframe="15Min",
        start="2024-01-02T14:40:00Z",
        end="2024-01-02T15:00:00Z",
    )
    assert starts(body["bars"]["SPY"]) == ["2024-01-02T14:45:00Z", "2024-01-02T15:00:00Z"]
    assert [row["v"] for row in body["bars"]["SPY"]] == [1_500, 1_500]
    assert body["bars"]["SPY"][0]["o"] == 470.15
    assert body["bars"]["SPY"][0]["c"] == 470.29


@pytest.mark.parametrize("frame", ["1Min", "7Min", "1Hour", "4Hour", "1Day", "1Week", "1Month"])
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_together_are_the_whole(root: Path, frame: str, sort: str) -> None:
    data = {"symbols": "SPY,AAPL,NONE", "timeframe": frame, "start": "2024-01-01", "sort": sort}
    (whole,) = pages(service(root), BARS, "bars", **data, limit="10000")
    limit = {"1Min": "400", "7Min": "61", "1Week": "1", "1Month": "1"}.get(frame, "2")
    parts = pages(service(root), BARS, "bars", **data, limit=limit)
    for symbol in ("AAPL", "SPY"):
        joined = [row for part in parts for row in part.get(symbol, [])]
        assert joined == whole[symbol]
        assert starts(joined) == sorted(starts(joined), reverse=sort == "desc")
    assert sum(len(rows) for rows in parts[0].values()) <= int(limit)
    assert list(parts[0]) == ["AAPL"]
    assert [part for part in parts if not part] == []


def test_nothing_later_than_now_is_served(root: Path) -> None:
    now = ns("2024-01-03T15:00:00")
    data = service(root, now=lambda: now)
    _, minutes = ask(data, BARS, symbols="SPY", timeframe="1Min", start="2024-01-02", limit="9999")
    assert starts(minutes["bars"]["SPY"])[-1] == "2024-01-03T14:59:00Z"
    data = service(root, now=lambda: now)
    _, body = ask(data, BARS, symbols="SPY", timeframe="1Day", start="2024-01-02", end="2030-01-01")
    assert [row["c"] for row in body["bars"]["SPY"]] == [473.89, 480.29]  # 30 minutes of the 3rd
    data = service(root, now=lambda: now)
    _, body = ask(data, BARS, symbols="SPY", timeframe="1Hour", start="2024-01-03")
    assert [row["v"] for row in body["bars"]["SPY"]] == [3_000]


def test_nothing_of_the_replayed_days_is_known_before_they_are_told(root: Path) -> None:
    import datetime as dt

    data = service(root, start=dt.date(2024, 1, 3))
    _, body = ask(data, BARS, symbols="SPY", timeframe="1Min", start="2024-01-01", sort="desc")
    assert starts(body["bars"]["SPY"])[0] == "2024-01-02T20:59:00Z"


def test_told_bars_are_served_with_stored_ones(root: Path) -> None:
    async def asked() -> Any:
        data = service(root, now=lambda: ns("2024-01-05T14:32:00"))
        async with served(data) as url:
            data.publish(ns("2024-01-05T14:31:00"), [flat("SPY", 500.0), flat("NEW", 1.0)])
            data.publish(ns("2024-01-05T14:32:00"), [flat("SPY", 501.0)])
            rows = {"timeframe": "1Min", "start": "2024-01-04T20:59:00Z"}
            return [
                await get(url, BARS, symbols="NEW,SPY", **rows),
                await get(url, "/v2/stocks/SPY/bars/latest"),
                await get(url, BARS, symbols="SPY", timeframe="1Day", start="2024-01-05"),
            ]

    (_, rows), (_, latest), (_, day) = asyncio.run(asked())
    assert [row["c"] for row in rows["bars"]["SPY"]] == [493.89, 500.0, 501.0]
    assert [row["c"] for row in rows["bars"]["NEW"]] == [1.0]
    assert latest["bar"]["t"] == "2024-01-05T14:31:00Z"
    assert [(row["o"], row["c"]) for row in day["bars"]["SPY"]] == [(500.0, 501.0)]


def test_prices_keep_all_decimals(root: Path) -> None:
    async def asked() -> bytes:
        data = service(root)
        async with served(data) as url, aiohttp.ClientSession() as session:
            headers = {"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "shh"}
            path = f"{url}/v2/stocks/OLD/bars?timeframe=1Day&start=2024-01-01"
            async with session.get(path, headers=headers) as response:
                return await response.read()

    text = asyncio.run(asked())
    assert b'"c":1.123456789,' in text
    assert b'"c":0.0001,' in text or b'"c":1e-4,' in text or b'"c":1e-04,' in text


def test_splits_so_far_are_adjusted_for_when_asked(root: Path) -> None:
    rows = {"symbols": "SPY,OLD", "timeframe": "1Day", "start": "2024-01-02"}
    _, raw = ask(service(root), BARS, **rows)
    _, split = ask(service(root), BARS, **rows, adjustment="split")
    assert [one["c"] for one in raw["bars"]["SPY"]] == [473.89, 483.89, 493.89]
    assert [one["c"] for one in split["bars"]["SPY"]] == [236.945, 241.945, 493.89]
    assert [one["v"] for one in split["bars"]["SPY"]] == [78_000, 78_000, 39_000]
    assert [one["c"] for one in split["bars"]["OLD"]] == [15.0, 1.123456789, 0.0001]
    before = service(root, now=lambda: ns("2024-01-03T22:00:00"))
    _, early = ask(before, BARS, **rows, adjustment="split")
    assert [one["c"] for one in early["bars"]["SPY"]] == [473.89, 483.89]


def test_quotes_and_trades_are_derived_from_bars(root: Path) -> None:
    span = {"start": "2024-01-02T14:31:00Z", "end": "2024-01-02T14:32:00Z"}
    _, quotes = ask(service(root, half_spread_bps=2.0), "/v2/stocks/SPY/quotes", **span)
    assert [(one["bp"], one["ap"]) for one in quotes["quotes"]] == [
        (469.906, 470.094),
        (469.9159, 470.1041),
    ]
    _, trades = ask(service(root), "/v2/stocks/SPY/trades", **span)
    assert [(one["t"], one["p"], one["s"]) for one in trades["trades"]] == [
        ("2024-01-02T14:31:00Z", 470.0, 100),
        ("2024-01-02T14:32:00Z", 470.01, 100),
    ]


def test_stored_ticks_of_one_instant_are_paged_without_loss(root: Path) -> None:
    rows = {"symbols": "TICK", "start": "2024-01-03"}
    for sort in ("asc", "desc"):
        parts = pages(service(root), "/v2/stocks/trades", "trades", **rows, sort=sort, limit="1")
        prices = [one["p"] for part in parts for one in part["TICK"]]
        assert sorted(prices) == [10.0, 10.01, 10.02, 10.03]
        parts = pages(service(root), "/v2/stocks/quotes", "quotes", **rows, sort=sort, limit="2")
        assert sorted(one["bp"] for part in parts for one in part["TICK"]) == [0, 9.98, 9.99]


def test_latest_and_snapshots_know_the_last_of_everything(root: Path) -> None:
    async def asked() -> Any:
        data = service(root, now=lambda: ns("2024-01-03T15:00:00"))
        async with served(data) as url:
            return [
                await get(url, "/v2/stocks/bars/latest", symbols="SPY,AAPL,NONE"),
                await get(url, "/v2/stocks/quotes/latest", symbols="SPY,TICK"),
                await get(url, "/v2/stocks/TICK/trades/latest"),
                await get(url, "/v2/stocks/SPY/snapshot"),
                await get(url, "/v2/stocks/snapshots", symbols="SPY,NONE"),
                await get(url, "/v2/stocks/bars/latest", symbols="SPY", feed="delayed_sip"),
            ]

    bars, quotes, trade, single, several, late = [body for _, body in asyncio.run(asked())]
    assert {name: one["t"] for name, one in bars["bars"].items()} == dict.fromkeys(
        ("SPY", "AAPL"), "2024-01-03T14:59:00Z"
    )
    assert quotes["quotes"]["TICK"]["ap"] == 10.01
    assert quotes["quotes"]["SPY"]["bp"] < 480.29 < quotes["quotes"]["SPY"]["ap"]
    assert trade["trade"]["p"] in (10.0, 10.01, 10.02)
    assert single["prevDailyBar"]["c"] == 473.89
    assert single["dailyBar"]["c"] == single["minuteBar"]["c"] == 480.29
    assert several == {"SPY": {k: v for k, v in single.items() if k != "symbol"}}
    assert late["bars"]["SPY"]["t"] == "2024-01-03T14:44:00Z"


def test_corporate_actions_are_listed_by_type_from_their_announcement_on(root: Path) -> None:
    path, span = "/v1/corporate-actions", {"start": "2024-01-01", "end": "2024-12-31"}
    _, body = ask(service(root), path, **span)
    groups = body["corporate_actions"]
    assert {name: len(rows) for name, rows in groups.items()} == {
        "worthless_removals": 1,
        "reverse_splits": 1,
        "cash_dividends": 1,
        "forward_splits": 1,
        "name_changes": 1,
    }
    assert groups["cash_dividends"][0]["rate"] == 1.906
    assert (groups["forward_splits"][0]["new_rate"], groups["forward_splits"][0]["old_rate"]) == (
        2,
        1,
    )
    assert (groups["reverse_splits"][0]["new_rate"], groups["reverse_splits"][0]["old_rate"]) == (
        1,
        10,
    )
    before = service(root, now=lambda: ns("2024-01-03T22:00:00"), announced_days=0)
    _, early = ask(before, path, **span)
    assert "forward_splits" not in early["corporate_actions"]
    announced = service(root, now=lambda: ns("2024-01-02T22:00:00"))
    _, ahead = ask(announced, path, **span)
    assert ahead["corporate_actions"] == groups
    _, one = ask(service(root), path, ids=groups["name_changes"][0]["id"])
    assert one["corporate_actions"] == {"name_changes": groups["name_changes"]}
    parts = pages(service(root), path, "corporate_actions", **span, limit="2")
    assert [sum(len(rows) for rows in part.values()) for part in parts] == [2, 2, 1]
    _, some = ask(service(root), path, **span, symbols="SPY", types="cash_dividend")
    assert list(some["corporate_actions"]) == ["cash_dividends"]


@pytest.mark.parametrize(
    ("path", "params", "says"),
    [
        (BARS, {"timeframe": "1Min"}, "symbols is required"),
        (BARS, {"symbols": "SPY"}, "timeframe is required"),
        (BARS, {"symbols": "SPY", "timeframe": "60Min"}, "invalid timeframe: 60Min"),
        (BARS, {"symbols": "../etc", "timeframe": "1Min"}, "invalid symbol: ../etc"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "limit": "10001"}, "invalid limit: 10001"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "limit": "x"}, "invalid limit: x"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "start": "yesterday"}, "invalid start"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "sort": "up"}, "invalid sort: up"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "feed": "x"}, "invalid feed: x"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "page_token": "AAAA"}, "invalid page_token"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "currency": "EUR"}, "invalid currency"),
        (BARS, {"symbols": "SPY", "timeframe": "1Min", "asof": "x"}, "invalid asof"),
        (BARS, {"symbols": "SPY", "timeframe": "1Day", "adjustment": "all"}, "is not served here"),
        (BARS, {"symbols": "SPY", "timeframe": "1Day", "adjustment": "x"}, "invalid adjustment"),
        (
            BARS,
            {"symbols": "SPY", "timeframe": "1Day", "start": "2024-01-03", "end": "2024-01-02"},
            "end should not be before start",
        ),
        ("/v2/stocks/NONE/bars/latest", {}, "no bar found for NONE"),
        ("/v1/corporate-actions", {"types": "party"}, "invalid type: party"),
        ("/v1/corporate-actions", {"ids": "x", "symbols": "SPY"}, "ids cannot be combined"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    root: Path, path: str, params: dict[str, str], says: str
) -> None:
    status, body = ask(service(root), path, **params)
    assert status == 400
    assert says in body["message"]
    assert isinstance(body["code"], int)


def test_only_known_keys_are_let_in(root: Path) -> None:
    async def asked() -> list[int]:
        async with served(service(root)) as url, aiohttp.ClientSession() as session:
            path = f"{url}/v2/stocks/SPY/bars/latest"
            wrong = {"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "no"}
            found = []
            for headers in ({}, wrong):
                async with session.get(path, headers=headers) as response:
                    found.append(response.status)
            return found

    assert asyncio.run(asked()) == [401, 401]


def test_a_server_without_a_store_serves_what_it_was_told() -> None:
    status, body = ask(service(), BARS, symbols="SPY", timeframe="1Day", start="2024-01-02")
    assert (status, body) == (200, {"bars": {}, "next_page_token": None})


@pytest.mark.parametrize(("symbol", "frame"), [("SPY", "1Min"), ("SPY", "1Day"), ("OLD", "1Day")])
@pytest.mark.parametrize("adjustment", ["raw", "split"])
def test_answers_agree_with_the_store_of_the_product(
    root: Path, symbol: str, frame: str, adjustment: str
) -> None:
    """Both read the same files, and share no code."""
    resolution = Resolution.MINUTE if frame == "1Min" else Resolution.DAY
    adjust: Any = "none" if adjustment == "raw" else "split"
    table = Store(root).read(DataKind.BARS, symbol, resolution, adjust=adjust)
    wanted = {"symbols": symbol, "timeframe": frame, "start": "2024-01-01", "limit": "9999"}
    _, body = ask(service(root), BARS, **wanted, adjustment=adjustment)
    rows = body["bars"][symbol]
    assert len(rows) == table.num_rows > 0
    for letter, name in zip("ohlcv", ("open", "high", "low", "close", "volume"), strict=True):
        assert [row[letter] for row in rows] == [float(one) for one in table[name].to_pylist()]
