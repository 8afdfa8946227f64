"""Bars as features see them: arrays of one symbol, or one bar at a time."""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

PRICES: Final = ("open", "high", "low", "close")
QUOTES: Final = ("bid", "ask", "bid_size", "ask_size")


class Series(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All bars of one symbol in time order; every array has the length of `ts`.

    Parameters
    ----------
    ts : array of int
        Close of each bar, UTC ns, rising.
    open, high, low, close : array of float
        Dollars, in the share units after the last split shown (earlier bars are restated by the
        float factor denominator / numerator of every later split, volume by its inverse).
    volume : array of float
        Shares.
    session : array of int
        Number of the bar's session in the exchange calendar, counted from the calendar's first; -1
        outside regular sessions.
    minute, to_close : array of float
        Minutes since the session's open, and to its close; nan outside.
    bid, ask, bid_size, ask_size : array of float, optional
        Last quote at or before `ts`; nan before the first. None where quotes are not stored.
    starts : array of int, optional
        Rows at which another symbol's bars begin, the first 0; None where all are of one symbol.
    """

    symbol: str
    ts: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    session: Integers
    minute: Floats
    to_close: Floats
    bid: Floats | None = None
    ask: Floats | None = None
    bid_size: Floats | None = None
    ask_size: Floats | None = None
    starts: Integers | None = None

    def __len__(self) -> int:
        return len(self.ts)


class LiveBar(msgspec.Struct, gc=False, eq=False):
    """One bar, with the meanings of `Series`; quotes are nan where there is none."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    session: int
    minute: float
    to_close: float
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class Panel(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Columns of many symbols on common moments: what features across symbols are computed from.

    Parameters
    ----------
    ts : array of int, shape (moments,)
        Every moment at which at least one symbol has a bar, UTC ns, rising.
    symbols : tuple of str
        Columns of every matrix.
    columns : dict
        Matrices of floats, shape (moments, symbols), nan where a symbol has no bar at a moment:
        ``close`` and every feature that a feature across symbols names as its input.
    benchmark : int
        Column of the benchmark; -1 without one.
    sectors : array of int, shape (symbols,)
        Number of each symbol's sector; -1 unknown.
    """

    ts: Integers
    symbols: tuple[str, ...]
    columns: dict[str, Floats]
    benchmark: int
    sectors: Integers


class Moment(msgspec.Struct, kw_only=True, eq=False):
    """One row of a `Panel`: the bars of one moment.

    `columns` holds arrays of shape (symbols,), nan where a symbol has no bar now.
    """

    ts: int
    columns: dict[str, Floats]
    benchmark: int
    sectors: Integers
