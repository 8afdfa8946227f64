"""Messages of the data stream per second: our decoder against alpaca-py's stream client.

Both get the same MessagePack frames, as the test server sends them, in this process and without a
socket. alpaca-py's client goes the way of its own receive loop: unpack, dispatch, models (or plain
dicts with `raw_data`), a handler that does nothing. Ours: decode, then the domain's bars and quotes
with exact prices. The two alternate, and the best of each counts: other programs only slow down.
"""

import asyncio
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from tradingd.feeds.alpaca import convert
from tradingd.feeds.alpaca.messages import BarMessage, Decoder, QuoteMessage
from tradingd.simalpaca.marketdata import batch, channels, derive
from tradingd.simalpaca.marketdata.codec import MESSAGE_PACK
from tradingd.simalpaca.marketdata.store import StoredBar

SYMBOLS = 200
MESSAGES = 20_000
ROUNDS = 5
MINUTE = 60_000_000_000
START = 1_704_205_860_000_000_000


def frames(channel: str, size: int) -> list[bytes]:
    """Return frames of `size` messages of a channel."""
    messages: list[bytes] = []
    step = 0
    while len(messages) < MESSAGES:
        ts = START + step * MINUTE
        told = {f"S{n:03}": _bar(ts, n, step) for n in range(SYMBOLS)}
        whole = {name: derive.combined(ts - MINUTE, [bar]) for name, bar in told.items()}
        made = batch.of_bars(told, whole, {}, derive.spread(1.0), lambda name: name == channel)
        messages += made.encoded(MESSAGE_PACK)
        step += 1
    return [
        MESSAGE_PACK.frame(messages[first : first + size]) for first in range(0, MESSAGES, size)
    ]


def _bar(ts: int, number: int, step: int) -> StoredBar:
    price = (50_00 + number * 137 + step % 97) * 10_000_000
    cent = 10_000_000
    return StoredBar(ts, price, price + 3 * cent, price - 2 * cent, price + cent, 1_000 + number)


def ours(data: Sequence[bytes]) -> int:
    """Decode as our feed does; return how many objects came out."""
    decoder, done = Decoder(), 0
    for frame in data:
        for message in decoder.decode(frame):
            if type(message) is BarMessage:
                convert.bar(message)
                done += 1
            elif type(message) is QuoteMessage:
                convert.quote(message)
                done += 1
    return done


def theirs(data: Sequence[bytes], *, raw: bool) -> int:
    """Decode as alpaca-py's stream client does; return how many objects came out."""
    with warnings.catch_warnings():
        # Its WebSocket library is announced to go.
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.data.live.stock import StockDataStream
    import msgpack

    done = 0

    async def handler(_: Any) -> None:
        nonlocal done
        done += 1

    client = StockDataStream("key", "secret", raw_data=raw, url_override="ws://127.0.0.1:9")
    client.subscribe_bars(handler, "*")
    client.subscribe_quotes(handler, "*")

    async def consume() -> None:
        for frame in data:
            for message in msgpack.unpackb(frame):
                await client._dispatch(message)

    asyncio.run(consume())
    return done


def rate(work: Callable[[Sequence[bytes]], int], data: Sequence[bytes]) -> float:
    """Return messages a CPU second."""
    began = time.process_time()
    done = work(data)
    spent = time.process_time() - began
    if done != MESSAGES:
        raise SystemExit(f"{done} of {MESSAGES} messages came out")
    return done / spent


def report() -> None:
    """Print the table."""
    say = sys.stdout.write
    say(f"decode: messages a CPU second, {MESSAGES:,} messages, best of {ROUNDS}\n")
    say(f"{'frame':<18}{'ours':>12}{'alpaca-py':>12}{'raw_data':>12}{'ratio':>8}{'to raw':>8}\n")
    for channel in (channels.BARS, channels.QUOTES):
        for size in (1, 20, 200):
            _line(channel, size)


def _line(channel: str, size: int) -> None:
    data = frames(channel, size)
    best = [0.0, 0.0, 0.0]
    for _ in range(ROUNDS):
        tried = (
            rate(ours, data),
            rate(lambda part: theirs(part, raw=False), data),
            rate(lambda part: theirs(part, raw=True), data),
        )
        best = [max(pair) for pair in zip(best, tried, strict=True)]
    us, them, raw = best
    sys.stdout.write(
        f"{f'{size} {channel}':<18}{us:>12,.0f}{them:>12,.0f}{raw:>12,.0f}"
        f"{us / them:>8.1f}{us / raw:>8.1f}\n"
    )
