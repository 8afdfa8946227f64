"""What limits and people read of the account: cash, equity, exposure, and the session's figures."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.gate.day import Day
from tradingd.gate.position import Position
from tradingd.gate.working import WorkingOrder

BETWEEN: Final = -1
"""Instant of events without a time (cash, splits); equity then is half-booked, never a peak."""


class Account:
    """The figures of one account; `tradingd.gate.book.Book` keeps them up.

    Parameters
    ----------
    cash : Nanos
        Cash before the first fill.
    """

    def __init__(self, cash: Nanos) -> None:
        self._cash = cash
        self._long: Nanos = 0
        self._short: Nanos = 0
        self._pending_long: Nanos = 0
        self._pending_short: Nanos = 0
        self._open_risk: Nanos = 0
        self._occupied = 0
        self._unfilled_entries = 0
        self._peak: Nanos = cash
        self._instant = BETWEEN
        self._session: Session | None = None
        self._day = Day(start_equity=cash)
        self._lines: dict[str, Position] = {}
        self._open: dict[str, Position] = {}
        self._working: dict[str, WorkingOrder] = {}

    # -- account ---------------------------------------------------------------------------------

    @property
    def cash(self) -> Nanos:
        """Cash; the proceeds of short sales are part of it."""
        return self._cash

    @property
    def equity(self) -> Nanos:
        """Cash plus positions at their last marks."""
        return self._cash + self._long - self._short

    @property
    def long_value(self) -> Nanos:
        """Value of the long positions at their last marks."""
        return self._long

    @property
    def short_value(self) -> Nanos:
        """Value of the short positions at their last marks, as a positive amount."""
        return self._short

    @property
    def gross(self) -> Nanos:
        """Sum of the absolute position values, working orders apart."""
        return self._long + self._short

    @property
    def pending_long(self) -> Nanos:
        """Value of working orders that would open or enlarge longs."""
        return self._pending_long

    @property
    def pending_short(self) -> Nanos:
        """Value of working orders that would open or enlarge shorts."""
        return self._pending_short

    @property
    def open_risk(self) -> Nanos:
        """Entry-to-stop losses of all positions and working entries."""
        return self._open_risk

    @property
    def occupied(self) -> int:
        """Symbols with a position or a working entry."""
        return self._occupied

    # -- session ---------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session begun last; None before the first."""
        return self._session

    @property
    def day_peak(self) -> Nanos:
        """Highest equity since the session began, the present included."""
        return max(self._peak, self.equity)

    @property
    def session_start_equity(self) -> Nanos:
        """Equity when the session began, at the marks of the evening before."""
        return self._day.start_equity

    @property
    def realised_today(self) -> Nanos:
        """Gains taken by reducing fills since the session began, less all commissions."""
        return self._day.realised

    @property
    def trades_today(self) -> int:
        """Orders since the session began that opened or enlarged a position when they filled."""
        return self._day.trades

    @property
    def unfilled_entries(self) -> int:
        """Working entry orders without a fill yet: trades that may still be counted today."""
        return self._unfilled_entries

    @property
    def loss_streak(self) -> int:
        """Losing round trips in a row (dividends and borrow included); carries over sessions."""
        return self._day.loss_streak

    @property
    def last_loss_ts(self) -> int:
        """Time of the last losing round trip's end, UTC ns; -1 before the first."""
        return self._day.last_loss_ts

    @property
    def day_trades(self) -> int:
        """Same-day round trips of this session and the four before it."""
        return self._day.day_trades_in_window

    # -- positions -------------------------------------------------------------------------------

    def position(self, symbol: str) -> Position | None:
        """Return the open position of a symbol, or None when flat."""
        return self._open.get(symbol)

    def positions(self) -> Mapping[str, Position]:
        """Return a live read-only view of the open positions by symbol."""
        return MappingProxyType(self._open)

    def line(self, symbol: str) -> Position | None:
        """Return what is known of a symbol, flat or not: last mark and working entries too."""
        return self._lines.get(symbol)
