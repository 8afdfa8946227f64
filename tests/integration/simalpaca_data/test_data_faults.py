"""Misbehaving data streams."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.integration.simalpaca_data.data_server import (
    StreamClient,
    flat,
    ns,
    served,
    service,
    stream,
)
from tradingd.simalpaca.marketdata.service import Service
from tradingd.simbroker.amounts import BadRequest

T = ns("2024-01-02T14:31:00")
MINUTE = 60_000_000_000


def run(talk: Callable[[Service, str, StreamClient], Awaitable[Any]]) -> Any:
    async def running() -> Any:
        data = service()
        async with served(data) as url, stream(url) as client:
            await client.log_in(bars=["*"])
            return await talk(data, url, client)

    return asyncio.run(running())


def publish(data: Service, count: int, *symbols: str) -> None:
    for step in range(count):
        data.publish(T + step * MINUTE, [flat(name, 100.0 + step) for name in symbols])


async def closes(client: StreamClient, until: float) -> list[float]:
    """Closes received up to one that is never lost."""
    found: list[float] = []
    while until not in found:
        found += [one["c"] for one in await client.frame()]
    return found


def lossless_end(data: Service) -> None:
    data.misbehave({})
    data.publish(T + 1_000 * MINUTE, [flat("SPY", 999.0)])


def test_the_same_seed_loses_and_repeats_the_same_messages() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[float]:
        data.misbehave({"seed": 3, "drop": 0.3, "duplicate": 0.3})
        publish(data, 40, "SPY")
        lossless_end(data)
        return await closes(client, 999.0)

    first, second = run(talk), run(talk)
    assert first == second
    sent = {100.0 + step for step in range(40)}
    assert 5 <= len(sent - set(first)) <= 20
    assert len(first) - len(set(first)) > 3


def test_reordered_messages_are_overtaken_and_not_lost() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[float]:
        data.misbehave({"seed": 1, "reorder": 0.4})
        publish(data, 30, "SPY")
        found: list[float] = []
        while len(found) < 30:
            found += [one["c"] for one in await client.frame()]
        return found

    found = run(talk)
    assert sorted(found) == [100.0 + step for step in range(30)]
    assert found != sorted(found)


def test_a_delayed_frame_comes_later() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> float:
        loop = asyncio.get_running_loop()
        data.misbehave({"delay_seconds": [0.2, 0.3]})
        began = loop.time()
        publish(data, 1, "SPY")
        await client.frame()
        return loop.time() - began

    assert run(talk) >= 0.2


def test_a_mute_stream_answers_pings_and_messages() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[Any]:
        data.misbehave({"mute": True})
        publish(data, 3, "SPY")
        await client.send(action="subscribe", trades=["SPY"])
        control = await client.frame()
        lossless_end(data)
        return [control[0]["T"], await closes(client, 999.0)]

    async def ping(data: Service, url: str, client: StreamClient) -> bool:
        data.misbehave({"mute": True})
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}/v2/iex", autoping=False) as socket,
        ):
            await socket.receive(timeout=30)
            await socket.ping()
            return (await socket.receive(timeout=30)).type is aiohttp.WSMsgType.PONG

    control, found = run(talk)
    assert control == "subscription"
    assert found == [] or found[-1] == 999.0
    assert 100.0 not in found
    assert run(ping)


def test_single_symbols_can_be_mute() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[str]:
        data.misbehave({"mute_symbols": ["SPY"]})
        publish(data, 1, "SPY", "AAPL")
        return [one["S"] for one in await client.frame()]

    assert run(talk) == ["AAPL"]


def test_a_half_open_connection_is_silent_and_a_new_one_works() -> None:
    async def talk(data: Service, url: str, client: StreamClient) -> Any:
        data.misbehave({"half_open": True, "connections": 0})
        publish(data, 2, "SPY")
        await client.send(action="subscribe", trades=["SPY"])
        await client.socket.ping()
        async with stream(url) as other:
            await other.log_in(bars=["*"])
            data.publish(T + 9 * MINUTE, [flat("SPY", 999.0)])
            new = await closes(other, 999.0)
        with pytest.raises(TimeoutError):
            await client.socket.receive(timeout=0.2)
        await client.socket.close()
        return new

    assert run(talk) == [999.0]


def test_every_connection_breaks_and_none_is_let_in_for_a_while() -> None:
    async def talk(data: Service, url: str, client: StreamClient) -> Any:
        data.misbehave({"close_now": True, "refuse_seconds": 0.3})
        broken = (await client.socket.receive(timeout=30)).type
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with stream(url):
                pass
        while True:
            try:
                async with stream(url) as other:
                    await other.log_in()
                    return broken, refused.value.status
            except aiohttp.WSServerHandshakeError:
                await asyncio.sleep(0.02)

    broken, status = run(talk)
    assert broken in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert status == 503


def test_a_client_that_does_not_read_is_let_go() -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[Any]:
        # Nothing is read and the loop is not given back: frames pile up beyond the bound.
        publish(data, 10_002, "SPY")
        found: list[Any] = []
        while True:
            message = await client.socket.receive(timeout=30)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return found
            found += message.json()

    assert run(talk) == [{"T": "error", "code": 407, "msg": "slow client"}]


@pytest.mark.parametrize(
    "plan",
    [
        {"dorp": 0.1},
        {"drop": 1.1},
        {"drop": True},
        {"mute": 1},
        {"delay_seconds": [2, 1]},
        {"mute_symbols": "SPY"},
        {"connections": -1},
        {"statuses": [{"symbol": "SPY", "status": "party"}]},
        {"statuses": [{"status": "halt"}]},
        {"lulds": [{"symbol": "SPY", "up": 1.5, "down": "1"}]},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_whole(plan: dict[str, Any]) -> None:
    async def talk(data: Service, _: str, client: StreamClient) -> list[float]:
        with pytest.raises(BadRequest):
            data.misbehave({"close_now": True, **plan})
        publish(data, 1, "SPY")
        return await closes(client, 100.0)

    assert run(talk) == [100.0]
