"""What a client has subscribed to: symbols by channel."""

from collections.abc import Mapping
from typing import Final

TRADES: Final = "trades"
QUOTES: Final = "quotes"
BARS: Final = "bars"
DAILY_BARS: Final = "dailyBars"
UPDATED_BARS: Final = "updatedBars"
STATUSES: Final = "statuses"
LULDS: Final = "lulds"
CHANNELS: Final = (TRADES, QUOTES, BARS, UPDATED_BARS, DAILY_BARS, STATUSES, LULDS)
FOLLOWING: Final = ("corrections", "cancelErrors")
"""Channels that come with `trades` and cannot be asked for."""

ALL: Final = "*"
_LIMITED: Final = (TRADES, QUOTES)


class UnknownChannelError(Exception):
    """A channel that this feed does not have."""


class SymbolLimitError(Exception):
    """More symbols of trades and quotes than the subscription allows."""


class Subscriptions:
    """The channels of one client.

    Parameters
    ----------
    limit : int
        Most symbols of trades and quotes together; 0: no limit.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._symbols: dict[str, dict[str, None]] = {name: {} for name in CHANNELS}

    def add(self, wanted: Mapping[str, object]) -> None:
        """Subscribe; all of it or nothing.

        Raises
        ------
        ValueError
            When a channel is no list of symbols.
        UnknownChannelError, SymbolLimitError
            See there.
        """
        lists = _lists(wanted)
        new = {name: self._symbols[name] | dict.fromkeys(part) for name, part in lists.items()}
        together = {**self._symbols, **new}
        if self._limit and sum(len(together[name]) for name in _LIMITED) > self._limit:
            raise SymbolLimitError
        self._symbols = together

    def remove(self, unwanted: Mapping[str, object]) -> None:
        """Unsubscribe; what is not subscribed is passed over. Raises as `add`."""
        for name, part in _lists(unwanted).items():
            for symbol in part:
                self._symbols[name].pop(symbol, None)

    def wants(self, channel: str, symbol: str) -> bool:
        """Tell whether a message of a channel about a symbol is wanted."""
        symbols = self._symbols[channel]
        return symbol in symbols or ALL in symbols

    def any_of(self, *channels: str) -> bool:
        """Tell whether one of the channels has a symbol."""
        return any(self._symbols[name] for name in channels)

    def listed(self) -> dict[str, list[str]]:
        """Return everything subscribed to, as the acknowledgement has it."""
        names = {name: list(symbols) for name, symbols in self._symbols.items()}
        return {**names, **dict.fromkeys(FOLLOWING, names[TRADES])}


def _lists(message: Mapping[str, object]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, symbols in message.items():
        if name == "action" or name in FOLLOWING:
            continue
        if name not in CHANNELS:
            raise UnknownChannelError(name)
        if not isinstance(symbols, list) or not all(isinstance(one, str) for one in symbols):
            raise ValueError(f"{name} must be a list of symbols")
        lists[name] = symbols
    return lists
