"""How bars, quotes and trades are written: the objects of REST answers and stream messages."""

from collections.abc import Mapping
from typing import Any, Final

from tradingd.simalpaca.marketdata import derive
from tradingd.simalpaca.marketdata.codec import JSON, Codec
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.store import StoredQuote, StoredTrade

TAPE: Final = derive.TAPE
EXCHANGE: Final = derive.EXCHANGE

type Json = dict[str, Any]


def bar(one: AlpacaBar, codec: Codec = JSON) -> Json:
    """Return the object of a bar."""
    return {
        "t": codec.time(one.start),
        "o": codec.number(one.open),
        "h": codec.number(one.high),
        "l": codec.number(one.low),
        "c": codec.number(one.close),
        "v": one.volume,
        "n": one.trades,
        "vw": codec.number(one.average),
    }


def quote(one: StoredQuote, codec: Codec = JSON) -> Json:
    """Return the object of a quote."""
    return {
        "t": codec.time(one.ts),
        "bx": EXCHANGE,
        "bp": codec.number(one.bid),
        "bs": one.bid_size,
        "ax": EXCHANGE,
        "ap": codec.number(one.ask),
        "as": one.ask_size,
        "c": ["R"],
        "z": TAPE,
    }


def trade(one: StoredTrade, codec: Codec = JSON) -> Json:
    """Return the object of a trade."""
    return {
        "t": codec.time(one.ts),
        "x": one.exchange or EXCHANGE,
        "p": codec.number(one.price),
        "s": one.size,
        "c": [part for part in one.conditions.split(",") if part] or ["@"],
        "i": derive.trade_id(one.ts),
        "z": TAPE,
    }


def snapshot(parts: Mapping[str, Json | None]) -> Json:
    """Return the object of a snapshot; what is not known is left out."""
    return {name: part for name, part in parts.items() if part is not None}
