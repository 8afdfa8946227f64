"""Symbols, resolutions, sessions and corporate actions."""

import datetime as dt
from enum import StrEnum
from typing import Final

import msgspec

from tradingd.domain.money import Nanos

NANOSECONDS: Final = 1_000_000_000


class Resolution(StrEnum):
    """Bar lengths the store keeps; the value is the partition name and the config word."""

    SECOND = "1s"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def nanoseconds(self) -> int:
        """Nominal length in nanoseconds (a day is 24 hours, not a session)."""
        return _SECONDS[self] * NANOSECONDS


_SECONDS: Final = {
    Resolution.SECOND: 1,
    Resolution.MINUTE: 60,
    Resolution.HOUR: 3_600,
    Resolution.DAY: 86_400,
}


class DataKind(StrEnum):
    """Tables of the history store."""

    BARS = "bars"
    QUOTES = "quotes"
    TRADES = "trades"


class Session(msgspec.Struct, frozen=True):
    """One regular trading session of an exchange, times in UTC nanoseconds."""

    day: dt.date
    open_ns: int
    close_ns: int

    def contains_bar(self, bar_close_ns: int) -> bool:
        """Tell whether a bar that closes at this time lies inside the session.

        A bar's time is its close, so the first minute bar closes one minute after the open and
        the last one exactly at the close.
        """
        return self.open_ns < bar_close_ns <= self.close_ns


class ActionKind(StrEnum):
    """Corporate actions that change prices, positions or names."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    RENAME = "rename"
    DELISTING = "delisting"


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """A split, a cash dividend or a rename; effective before the open of `ex_date`.

    A split of `numerator` for `denominator` turns 1 share into numerator/denominator shares
    (AAPL 2014: 7/1). `amount` is dollars per share held at the close before the ex-date, in the
    share units of that close. A rename goes from `old_symbol` to `symbol`. A delisting's `ex_date`
    is the first session without trading.
    """

    symbol: str
    ex_date: dt.date
    kind: ActionKind
    numerator: int = 1
    denominator: int = 1
    amount: Nanos = 0
    old_symbol: str = ""
    source: str = ""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Trading facts of one symbol."""

    symbol: str
    tick: Nanos = 10_000_000
    currency: str = "USD"
    venue: str = "XNYS"
    lot: int = 1


class ReferenceData(msgspec.Struct, frozen=True, kw_only=True):
    """Facts beside prices that the gate needs; empty where nothing is on file.

    `earnings` are announcement dates per symbol, sorted; `shortable` is the number of shares that
    can be borrowed per symbol and day. `members` are the days on which a symbol belongs to the
    universe that is traded, as sorted spans [first day, first day outside); None where the
    universe does not change by day. `watched` are symbols whose bars a model's features refer to
    and that are not traded.
    """

    earnings: dict[str, tuple[dt.date, ...]] = {}
    shortable: dict[str, dict[dt.date, int]] = {}
    members: dict[str, tuple[tuple[dt.date, dt.date], ...]] | None = None
    watched: frozenset[str] = frozenset()
