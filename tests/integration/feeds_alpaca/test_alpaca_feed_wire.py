"""What a server may send that nobody expects: counted, told, never fatal without a reason."""

import asyncio
import struct
from typing import Any

import msgspec
import pytest

from tests.fakes.alpaca_stream_peer import AlpacaStreamPeer, alpaca_stream_peer
from tests.integration.feeds_alpaca.alpaca_feed_kit import MINUTES, Taker, feed_of, run, until
from tradingd.feeds.alpaca.feed import AlpacaFeed
from tradingd.kits.failure import ExitCode, Failure


def minute(number: int, symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    start = MINUTES[number] // 10**9 - 60
    time = msgspec.msgpack.Ext(-1, struct.pack(">I", start))
    prices = {"o": 1.5, "h": 2.0, "l": 1.0, "c": 1.25, "v": 10, "n": 1, "vw": 1.3}
    return {"T": "b", "S": symbol, **prices, "t": time, **changes}


async def opened(peer: AlpacaStreamPeer, **options: Any) -> AlpacaFeed:
    feed = feed_of(peer.url, symbols=("AAPL",), **options)
    await feed.open(0)
    return feed


def test_unknown_types_fields_and_garbage_are_counted_and_the_rest_is_delivered() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            feed = await opened(peer)
            taker = Taker(feed)
            pack = msgspec.msgpack.encode
            nan, inf = float("nan"), float("inf")
            await peer.send(
                pack([{"T": "zz", "S": "AAPL", "new": 1}, minute(0, brand_new={"a": [1]})]),
                b"\xc1 this is no message pack",
                "and this is no JSON",
                pack({"T": "b"}),
                pack([minute(1, c=nan), minute(1, o="1.5"), minute(1, v=inf), [1, 2], 7, None]),
                pack([minute(1, h=0.5), minute(1, l=-1.0), minute(1, t="yesterday")]),
                pack([minute(1, symbol="OTHER"), minute(2, v=12.75)]),
            )
            got = await taker.has(2)
            assert [batch.ts for batch in got] == [MINUTES[0], MINUTES[2]]
            assert got[0].bars[0].close == 1_250_000_000
            assert got[1].bars[0].volume == 12
            assert feed.counts["unknown_types"] == 1
            assert feed.counts["garbage"] == 3 + 6 + 3
            assert feed.counts.get("reconnects", 0) == 0
            await feed.close()

    run(work())


def test_a_bar_that_comes_after_its_batch_is_counted_and_left_out() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            feed = await opened(peer)
            taker = Taker(feed)
            await peer.send(peer.frame([minute(1)]))
            await taker.has(1)
            await peer.send(peer.frame([minute(0)]), peer.frame([minute(1), minute(2)]))
            got = await taker.has(2)
            assert [batch.ts for batch in got] == [MINUTES[1], MINUTES[2]]
            assert (feed.counts["late"], feed.counts["twice"]) == (1, 1)
            await feed.close()

    run(work())


def test_a_server_that_speaks_json_is_understood() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            peer.binary = False
            feed = await opened(peer)
            taker = Taker(feed)
            start = "2024-07-02T13:30:00Z"
            await peer.send(peer.frame([minute(0, t=start, c=1.1)]))
            (batch,) = await taker.has(1)
            assert (batch.ts, batch.bars[0].close) == (MINUTES[0], 1_100_000_000)
            await feed.close()

    run(work())


def test_a_channel_that_the_feed_does_not_have_is_done_without() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            peer.refuse["lulds"] = 410
            feed = await opened(peer)
            taker = Taker(feed)
            await peer.send(peer.frame([minute(0)]))
            await taker.has(1)
            assert feed.counts["channels_missing"] == 1
            await feed.close()

    run(work())


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("auth", 402, "key"),
        ("auth", 406, "another program uses the data stream of the same key"),
        ("quotes", 405, "feed.quotes=false"),
        ("bars", 409, "feed.data=iex"),
    ],
)
def test_a_refusal_at_the_start_is_told_with_what_to_do(name: str, code: int, word: str) -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            peer.refuse[name] = code
            with pytest.raises(Failure) as refused:
                await opened(peer, start_seconds=1.0)
            assert refused.value.code is ExitCode.FEED
            assert str(code) in refused.value.found
            assert word in refused.value.line()

    run(work())


def test_a_subscription_that_is_not_acknowledged_is_no_connection() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            peer.silent_acks = {"bars"}
            with pytest.raises(Failure) as refused:
                await opened(peer, start_seconds=1.0)
            assert refused.value.code is ExitCode.FEED

    run(work())


def test_a_final_refusal_in_mid_life_ends_the_stream_with_its_reason() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            feed = await opened(peer)
            taker = Taker(feed)
            await peer.send(peer.frame([minute(0)]))
            await taker.has(1)
            peer.refuse["auth"] = 402
            await peer.sockets[-1].close()
            await until(lambda: taker.over)
            assert isinstance(taker.error, Failure)
            assert taker.error.code is ExitCode.FEED
            await feed.close()

    run(work())


def test_a_slow_client_error_is_met_with_a_new_connection() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            feed = await opened(peer)
            taker = Taker(feed)
            await peer.send(peer.frame([minute(0)]))
            await taker.has(1)
            await peer.send(
                peer.frame([minute(1), {"T": "error", "code": 407, "msg": "slow client"}])
            )
            await until(lambda: len(peer.sockets) == 2)
            await peer.send(peer.frame([minute(2)]))
            got = await taker.has(3)
            assert [batch.ts for batch in got] == MINUTES[:3]
            await feed.close()

    run(work())


def test_symbols_are_subscribed_in_batches_on_the_wall_and_at_once_for_a_replay() -> None:
    async def work() -> None:
        names = tuple(f"S{number}" for number in range(250))
        for clock, batches in (("wall", 3), ("data", 1)):
            async with alpaca_stream_peer() as peer:
                known = {name: {"p": 1} for name in names}
                peer.rest["/v2/stocks/trades/latest"] = {"trades": known}
                feed = feed_of(peer.url, symbols=names, clock=clock)
                await feed.open(0)
                asked = [one for one in peer.received if "bars" in one]
                assert len(asked) == batches
                assert sum(len(one["bars"]) for one in asked) == 250
                await feed.close()

    run(work())


def test_a_start_that_fails_leaves_nothing_behind() -> None:
    async def work() -> None:
        async with alpaca_stream_peer() as peer:
            nobody = {"stream": "ws://127.0.0.1:9", "start_seconds": 0.3}
            with pytest.raises(Failure):
                await feed_of(peer.url, **nobody).open(0)
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert not [name for name in names if name.startswith("alpaca")]

    run(work())
