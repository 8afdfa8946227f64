"""The protocol of the data streams, message by message."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.integration.simalpaca_data.data_server import (
    KEYS,
    StreamClient,
    flat,
    ns,
    served,
    service,
    stream,
)
from tradingd.simalpaca.marketdata.service import Service

T = ns("2024-01-02T14:31:00")
MINUTE = 60_000_000_000


def with_client(
    data: Service, talk: Callable[[StreamClient], Awaitable[Any]], feed: str = "sip"
) -> Any:
    async def run() -> Any:
        async with served(data) as url, stream(url, feed) as client:
            return await talk(client)

    return asyncio.run(run())


def told(frame: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["T"], one["S"]) for one in frame]


def test_trades_and_quotes_come_before_the_bars_of_their_close() -> None:
    data = service()

    async def talk(client: StreamClient) -> list[dict[str, Any]]:
        await client.log_in(
            trades=["SPY"], quotes=["AAPL"], bars=["*"], dailyBars=["SPY"], updatedBars=["SPY"]
        )
        data.publish(T, [flat("SPY", 470.0), flat("AAPL", 190.0)])
        return await client.frame()

    frame = with_client(data, talk)
    assert told(frame) == [("t", "SPY"), ("q", "AAPL"), ("b", "SPY"), ("b", "AAPL"), ("d", "SPY")]
    assert frame[0]["t"] == "2024-01-02T14:31:00Z"
    assert frame[2]["t"] == "2024-01-02T14:30:00Z"
    assert frame[4]["t"] == "2024-01-02T05:00:00Z"


def test_the_running_day_grows_with_its_minutes_and_begins_anew() -> None:
    data = service()

    async def talk(client: StreamClient) -> list[dict[str, Any]]:
        await client.log_in(dailyBars=["SPY"])
        for step, price in enumerate((470.0, 473.0, 469.0)):
            data.publish(T + step * MINUTE, [flat("SPY", price)])
        data.publish(T + 24 * 60 * MINUTE, [flat("SPY", 480.0)])
        return [(await client.frame())[0] for _ in range(4)]

    days = with_client(data, talk)
    third, fourth = days[2], days[3]
    assert [third[k] for k in "ohlcv"] == [470.0, 473.0, 469.0, 469.0, 300]
    assert (third["n"], third["vw"]) == (3, 470.666666)
    assert (fourth["t"], fourth["o"], fourth["v"]) == ("2024-01-03T05:00:00Z", 480.0, 100)


def test_a_repeated_market_message_is_not_told_again() -> None:
    data = service()

    async def talk(client: StreamClient) -> list[Any]:
        await client.log_in(bars=["*"], dailyBars=["SPY"])
        data.publish(T, [flat("SPY", 470.0)])
        data.publish(T, [flat("SPY", 471.0), flat("AAPL", 190.0)])
        data.publish(T + MINUTE, [flat("SPY", 472.0)])
        return [await client.frame() for _ in range(3)]

    first, second, third = with_client(data, talk)
    assert told(first) == [("b", "SPY"), ("d", "SPY")]
    assert told(second) == [("b", "AAPL")]
    assert (third[1]["v"], third[1]["h"]) == (200, 472.0)


def test_a_market_of_days_publishes_daily_bars_only() -> None:
    data = service(bars="1d")

    async def talk(client: StreamClient) -> list[dict[str, Any]]:
        await client.log_in(bars=["*"], dailyBars=["*"])
        data.publish(ns("2024-01-02T21:00:00"), [flat("SPY", 470.0)])
        return await client.frame()

    frame = with_client(data, talk)
    assert told(frame) == [("d", "SPY")]
    assert frame[0]["t"] == "2024-01-02T05:00:00Z"


def test_an_acknowledgement_lists_everything_subscribed_to() -> None:
    async def talk(client: StreamClient) -> list[Any]:
        await client.log_in()
        await client.send(action="subscribe", trades=["SPY", "AAPL"], bars=["*"])
        await client.send(action="unsubscribe", trades=["SPY", "NONE"])
        return [(await client.frame())[0] for _ in range(2)]

    first, second = with_client(service(), talk)
    assert first == {
        "T": "subscription",
        "trades": ["SPY", "AAPL"],
        "quotes": [],
        "bars": ["*"],
        "updatedBars": [],
        "dailyBars": [],
        "statuses": [],
        "lulds": [],
        "corrections": ["SPY", "AAPL"],
        "cancelErrors": ["SPY", "AAPL"],
    }
    assert second["trades"] == ["AAPL"]
    assert second["bars"] == ["*"]


def test_an_unsubscribed_symbol_is_not_sent_any_more() -> None:
    data = service()

    async def talk(client: StreamClient) -> list[dict[str, Any]]:
        await client.log_in(bars=["SPY", "AAPL"])
        await client.send(action="unsubscribe", bars=["SPY"])
        await client.frame()
        data.publish(T, [flat("SPY", 470.0), flat("AAPL", 190.0)])
        return await client.frame()

    assert told(with_client(data, talk)) == [("b", "AAPL")]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no json", 400),
        ('{"action": "dance"}', 400),
        ('["subscribe"]', 400),
        ("[" * 100_000, 400),
        ('{"action": ["auth"]}', 400),
        ('{"action": "subscribe", "bars": [1]}', 400),
        ('{"action": "subscribe", "bars": "SPY"}', 400),
        ('{"action": "subscribe", "orderbooks": ["SPY"]}', 410),
        ('{"action": "auth", "key": "PKTEST", "secret": "shh"}', 403),
        ('{"action": "subscribe", "trades": ["A", "B"], "quotes": ["C"]}', 405),
    ],
)
def test_a_bad_message_is_told_by_code_and_the_client_stays(message: str, code: int) -> None:
    data = service(symbol_limit=2)

    async def talk(client: StreamClient) -> Any:
        await client.log_in(bars=["SPY"])
        await client.socket.send_str(message)
        refused = (await client.frame())[0]
        data.publish(T, [flat("SPY", 470.0)])
        return refused, await client.frame()

    refused, frame = with_client(data, talk)
    assert (refused["T"], refused["code"]) == ("error", code)
    assert told(frame) == [("b", "SPY")]


def test_wrong_keys_are_told_and_the_connection_ends() -> None:
    async def talk(client: StreamClient) -> Any:
        await client.frame()
        await client.send(action="subscribe", bars=["SPY"])
        early = (await client.frame())[0]
        await client.send(action="auth", key="PKTEST", secret="wrong")
        return early, (await client.frame())[0], (await client.socket.receive(timeout=30)).type

    early, wrong, after = with_client(service(), talk)
    assert early == {"T": "error", "code": 401, "msg": "not authenticated"}
    assert wrong == {"T": "error", "code": 402, "msg": "auth failed"}
    assert after is aiohttp.WSMsgType.CLOSE


def test_a_client_that_says_nothing_is_timed_out() -> None:
    async def talk(client: StreamClient) -> Any:
        await client.frame()
        return (await client.frame())[0], (await client.socket.receive(timeout=30)).type

    late, after = with_client(service(auth_seconds=0.1), talk)
    assert late == {"T": "error", "code": 404, "msg": "auth timeout"}
    assert after is aiohttp.WSMsgType.CLOSE


def test_keys_in_the_headers_authenticate() -> None:
    async def run() -> Any:
        async with served(service()) as url, stream(url, **KEYS) as client:
            return [await client.frame(), await client.frame()]

    connected, authenticated = asyncio.run(run())
    assert connected[0]["msg"] == "connected"
    assert authenticated == [{"T": "success", "msg": "authenticated"}]


def test_a_second_connection_of_a_key_is_refused_until_the_first_has_gone() -> None:
    async def log_in(client: StreamClient) -> dict[str, Any]:
        await client.frame()
        await client.send(action="auth", key="PKTEST", secret="shh")
        return (await client.frame())[0]

    async def run() -> list[dict[str, Any]]:
        async with served(service()) as url:
            async with stream(url) as first:
                found = [await log_in(first)]
                async with stream(url) as second:
                    found.append(await log_in(second))
                async with stream(url, "iex") as other:
                    found.append(await log_in(other))
            async with stream(url) as third:
                found.append(await log_in(third))
            return found

    first, second, other, third = asyncio.run(run())
    assert second == {"T": "error", "code": 406, "msg": "connection limit exceeded"}
    assert [one["msg"] for one in (first, other, third)] == ["authenticated"] * 3


def test_messagepack_carries_the_same_with_times_as_timestamps() -> None:
    data = service()

    async def run() -> Any:
        decode = msgspec.msgpack.decode
        async with (
            served(data) as url,
            stream(url, **{"Content-Type": "application/msgpack"}) as client,
        ):
            socket = client.socket
            assert decode(await socket.receive_bytes(timeout=30))[0]["msg"] == "connected"
            for message in (
                {"action": "auth", "key": "PKTEST", "secret": "shh"},
                {"action": "subscribe", "bars": ["SPY"]},
            ):
                await socket.send_bytes(msgspec.msgpack.encode(message))
                await socket.receive_bytes(timeout=30)
            data.publish(T, [flat(f"S{n}", n + 1.0) for n in range(20)] + [flat("SPY", 470.01)])
            return decode(await socket.receive_bytes(timeout=30))

    (bar,) = asyncio.run(run())
    assert (bar["T"], bar["S"], bar["c"], bar["v"]) == ("b", "SPY", 470.01, 100)
    assert bar["t"].isoformat() == "2024-01-02T14:30:00+00:00"


def test_the_delayed_feed_is_a_quarter_of_an_hour_behind() -> None:
    data = service()

    async def talk(client: StreamClient) -> Any:
        await client.log_in(bars=["SPY"])
        for step in range(17):
            data.publish(T + step * MINUTE, [flat("SPY", 470.0 + step)])
        return [(await client.frame())[0]["c"] for _ in range(2)]

    assert with_client(data, talk, "delayed_sip") == [470.0, 471.0]


def test_the_test_feed_ticks_at_any_hour() -> None:
    data = service(test_seconds=0.01, wall=lambda: ns("2026-01-03T03:00:30"))

    async def talk(client: StreamClient) -> Any:
        await client.log_in(trades=["FAKEPACA"], bars=["*"])
        data.publish(T, [flat("SPY", 470.0)])
        return [await client.frame() for _ in range(2)]

    first, second = with_client(data, talk, "test")
    assert told(first) == [("t", "FAKEPACA"), ("b", "FAKEPACA")]
    assert told(second) == [("t", "FAKEPACA")]
    assert first[0]["t"] == "2026-01-03T03:00:30Z"


def test_halts_resumptions_and_bands_are_told_when_a_plan_says_so() -> None:
    data = service(now=lambda: T)

    async def talk(client: StreamClient) -> Any:
        await client.log_in(statuses=["SPY"], lulds=["*"])
        data.misbehave(
            {
                "statuses": [
                    {"symbol": "SPY", "status": "halt"},
                    {"symbol": "X", "status": "halt"},
                ],
                "lulds": [{"symbol": "SPY", "up": "480.5", "down": "460"}],
            }
        )
        data.misbehave({"statuses": [{"symbol": "SPY", "status": "resume"}]})
        return await client.frame() + await client.frame()

    halt, band, resume = with_client(data, talk)
    assert (halt["T"], halt["sc"], halt["t"]) == ("s", "H", "2024-01-02T14:31:00Z")
    assert (band["T"], band["u"], band["d"]) == ("l", 480.5, 460.0)
    assert (resume["T"], resume["sc"]) == ("s", "T")


def test_publishing_two_hundred_symbols_takes_little_of_the_loop() -> None:
    data = service()
    names = [f"S{number}" for number in range(200)]

    async def talk(client: StreamClient) -> list[float]:
        await client.log_in(bars=names, quotes=names)
        costs = []
        for step in range(25):
            bars = [flat(name, 100.0 + step) for name in names]
            # Of this thread alone: other programs do not count.
            began = time.thread_time()
            data.publish(T + step * MINUTE, bars)
            costs.append(time.thread_time() - began)
            assert len(await client.frame()) == 400
        return sorted(costs)

    assert with_client(data, talk)[12] < 0.020


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x93\x01", b"\x81\x90\x01", b"\x81\x01\x02", b"\xdd\xff\xff\xff\xff"]
)
def test_binary_garbage_is_a_syntax_error(data: bytes) -> None:
    async def run() -> Any:
        packed = {"Content-Type": "application/msgpack"}
        async with served(service()) as url, stream(url, **packed, **KEYS) as client:
            for _ in range(2):
                await client.socket.receive_bytes(timeout=30)
            await client.socket.send_bytes(data)
            return msgspec.msgpack.decode(await client.socket.receive_bytes(timeout=30))

    assert asyncio.run(run()) == [{"T": "error", "code": 400, "msg": "invalid syntax"}]
