"""Halts, resumptions and price bands: told by whoever runs a drill."""

from collections.abc import Mapping, Sequence
from typing import Final

from tradingd.simalpaca.marketdata import channels, derive
from tradingd.simalpaca.marketdata.batch import Message
from tradingd.simalpaca.marketdata.codec import Codec
from tradingd.simalpaca.marketdata.view import Json
from tradingd.simbroker.amounts import BadRequest, parse

# docs.alpaca.markets, "Real-time Stock Data", trading statuses of tape C (UTP).
_STATUSES: Final = {
    "halt": ("H", "Trading Halt", "T1", "Halt News Pending"),
    "pause": ("P", "Volatility Trading Pause", "LUDP", "Volatility Trading Pause"),
    "quote": ("Q", "Quotation Resumption", "T3", "News and Resumption Times"),
    "resume": ("T", "Trading Resumption", "T3", "News and Resumption Times"),
}


def messages(plan: Mapping[str, object], ts: int) -> list[Message]:
    """Return the messages that a plan asks for: its `statuses` and `lulds`.

    Raises
    ------
    BadRequest
        When one cannot be understood.
    """
    statuses = [_status(one, ts) for one in _objects(plan, "statuses")]
    return statuses + [_luld(one, ts) for one in _objects(plan, "lulds")]


def _status(one: Mapping[str, object], ts: int) -> Message:
    word = str(one.get("status", ""))
    if word not in _STATUSES:
        raise BadRequest(f"unknown status {word!r}; known: {', '.join(_STATUSES)}")
    code, text, reason, why = _STATUSES[word]
    body = {"sc": code, "sm": text, "rc": one.get("rc", reason), "rm": one.get("rm", why)}

    def write(codec: Codec) -> Json:
        return {**body, "t": codec.time(ts), "z": derive.TAPE}

    return Message(channels.STATUSES, "s", _symbol(one), write)


def _luld(one: Mapping[str, object], ts: int) -> Message:
    up, down = parse(one.get("up"), "up"), parse(one.get("down"), "down")
    indicator = str(one.get("indicator", "B"))

    def write(codec: Codec) -> Json:
        band = {"u": codec.number(up), "d": codec.number(down), "i": indicator}
        return {**band, "t": codec.time(ts), "z": derive.TAPE}

    return Message(channels.LULDS, "l", _symbol(one), write)


def _objects(plan: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    listed = plan.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise BadRequest(f"{name} must be a list of objects")
    return listed


def _symbol(one: Mapping[str, object]) -> str:
    symbol = one.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        raise BadRequest("symbol is missing")
    return symbol
