"""What is known of a symbol on the eve of a day."""

import datetime as dt
from typing import Literal

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol before the open of `day`; None: not known.

    Parameters
    ----------
    last_bar : date, optional
        Its last session with a bar before the day.
    history : int
        Sessions with a bar so far.
    traded_percent : float
        Share of the window's sessions with a bar.
    price : float
        Median close of the window, USD, in the day's own share units.
    dollar_volume, volume : float
        Averages a session over the window, USD and shares of the day's own units; a session
        without a bar counts as zero.
    spread_bps : float, optional
        Over the middle.
    spread_source : {"quotes", "corwin_schultz", "abdi_ranaldo", ""}
        All but quotes are estimates.
    volatility_percent : float, optional
        Of daily log returns over the window, a year of 252 sessions.
    volatility_bucket : int, optional
        0 the calmest.
    market_cap : float, optional
        USD.
    earnings : date, optional
        The nearest announcement.
    earnings_sessions : int, optional
        Sessions to it, negative when it is over.
    member : bool, optional
        Of the index; None where any symbol may enter.
    borrowable : int, optional
        Shares on its latest borrow list.
    delisted : bool
        It no longer trades that day.
    """

    symbol: str
    day: dt.date
    last_bar: dt.date | None = None
    history: int = 0
    traded_percent: float = 0.0
    price: float | None = None
    dollar_volume: float = 0.0
    volume: float = 0.0
    spread_bps: float | None = None
    spread_source: Literal["quotes", "corwin_schultz", "abdi_ranaldo", ""] = ""
    volatility_percent: float | None = None
    volatility_bucket: int | None = None
    market_cap: float | None = None
    earnings: dt.date | None = None
    earnings_sessions: int | None = None
    member: bool | None = None
    borrowable: int | None = None
    delisted: bool = False


class Row(Facts, frozen=True, kw_only=True):
    """Those facts with the day's verdict.

    Parameters
    ----------
    tier : {"core", "extended", ""}
        Empty: in neither.
    rank : int, optional
        By dollar volume among those that passed the screen, from 1.
    rejected : tuple of str
        Names of the clauses that it failed.
    """

    tier: Literal["core", "extended", ""] = ""
    rank: int | None = None
    rejected: tuple[str, ...] = ()
