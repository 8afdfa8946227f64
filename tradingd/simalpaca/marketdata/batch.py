"""Messages that are published together, each encoded at most once per codec."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tradingd.simalpaca.marketdata import channels, derive, view
from tradingd.simalpaca.marketdata.codec import Codec
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.store import StoredBar
from tradingd.simalpaca.marketdata.view import Json
from tradingd.simbroker.matching import Spread


class Message(NamedTuple):
    """One message of a channel about a symbol; `write` gives what follows its type and symbol."""

    channel: str
    kind: str
    symbol: str
    write: Callable[[Codec], Json]


class Batch:
    """Messages in the order in which clients get them."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self._encoded: dict[int, list[bytes]] = {}

    def encoded(self, codec: Codec) -> Sequence[bytes]:
        """Return every message in one encoding."""
        known = self._encoded.get(id(codec))
        if known is None:
            known = [
                codec.encode({"T": one.kind, "S": one.symbol, **one.write(codec)})
                for one in self.messages
            ]
            self._encoded[id(codec)] = known
        return known


def of_bars(
    bars: Mapping[str, StoredBar],
    whole: Mapping[str, AlpacaBar],
    days: Mapping[str, AlpacaBar],
    around: Spread,
    wanted: Callable[[str], bool],
) -> Batch:
    """Return what bars of one close lead to: trades, quotes, then the bars themselves.

    Parameters
    ----------
    bars : Mapping
        The bars by symbol, of which trades and quotes are derived.
    whole : Mapping
        The minute bars to publish by symbol.
    days : Mapping
        The day bars to publish by symbol.
    around : Spread
        Between bid and ask.
    wanted : Callable
        Tells whether anybody listens to a channel.
    """
    messages: list[Message] = []
    if wanted(channels.TRADES):
        messages += [_trade(symbol, one) for symbol, one in bars.items()]
    if wanted(channels.QUOTES):
        messages += [_quote(symbol, one, around) for symbol, one in bars.items()]
    if wanted(channels.BARS):
        messages += [_bar(channels.BARS, "b", symbol, one) for symbol, one in whole.items()]
    if wanted(channels.DAILY_BARS):
        messages += [_bar(channels.DAILY_BARS, "d", symbol, one) for symbol, one in days.items()]
    return Batch(messages)


def _trade(symbol: str, one: StoredBar) -> Message:
    return Message(channels.TRADES, "t", symbol, partial(view.trade, derive.trade(one)))


def _quote(symbol: str, one: StoredBar, around: Spread) -> Message:
    return Message(channels.QUOTES, "q", symbol, partial(view.quote, derive.quote(one, around)))


def _bar(channel: str, kind: str, symbol: str, one: AlpacaBar) -> Message:
    return Message(channel, kind, symbol, partial(view.bar, one))
