"""The gate's own account: positions, cash, peaks and working entries, kept up event by event.

Every event costs O(1) however long the run is. All money is exact (Nanos). Equity is cash plus
positions at their last marks; a fill moves cash and quantity, never the mark.
"""

from typing import Self

import msgspec

from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill, OrderIntent, Purpose
from tradingd.gate import working
from tradingd.gate.account import BETWEEN, Account
from tradingd.gate.day import Day
from tradingd.gate.position import Position, share
from tradingd.gate.trading import CashKind, book_cash, book_trade, rescale
from tradingd.gate.trip import ClosedTrip
from tradingd.gate.working import WorkingOrder

__all__ = ["Book", "BookState", "CashKind", "ClosedTrip", "Position"]


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a book needs to go on after a restart; plain values, JSON round-trips."""

    cash: Nanos
    peak: Nanos
    instant: int
    session: Session | None
    day: Day
    positions: tuple[Position, ...]
    working: tuple[WorkingOrder, ...]


class Book(Account):
    """Positions, cash, session peaks and pending exposure of one account.

    Parameters
    ----------
    cash : Nanos
        Cash before the first fill.

    Notes
    -----
    The day's peak is taken over settled instants: equity after the last event of one time stamp,
    so that marking symbol A before symbol B of the same minute cannot invent a peak. Call
    `start_session` before that session's splits, dividends and bars.
    """

    def start_session(self, session: Session) -> None:
        """Begin a session: peaks and daily counts start anew; the same day again changes nothing.

        The second call of one day is what a restart makes, and must not forgive the day's losses.
        """
        if self._session is not None and session.day == self._session.day:
            return
        equity = self.equity
        self._session = session
        self._peak = equity
        self._instant = BETWEEN
        self._day.begin(equity)
        for position in self._open.values():
            position.increased_today = False

    # -- positions -------------------------------------------------------------------------------

    def mark(self, symbol: str, price: Nanos, ts: int) -> None:
        """Take the last price of a symbol."""
        line = self._lines.get(symbol)
        if line is None:
            line = self._line(symbol)
        if line.quantity:
            self.mark_held(line, price, ts)
        else:
            line.mark = price
            line.mark_ts = ts

    def mark_held(self, line: Position, price: Nanos, ts: int) -> None:
        """Take the last price of an open position (the hot path: once per bar of what is held)."""
        if ts != self._instant:
            self._advance(ts)
        quantity = line.quantity
        if quantity > 0:
            self._long += (price - line.mark) * quantity
        else:
            self._short -= (price - line.mark) * quantity
        line.mark = price
        line.mark_ts = ts

    def fill(self, fill: Fill) -> ClosedTrip | None:
        """Book an execution; return the round trip it closed, if it closed one.

        A fill that flips a position closes one trip and opens the next; its commission and
        slippage are divided between the two by shares. CORPORATE fills change quantity and
        average price only: no realised P&L, no trade count.
        """
        self._advance(BETWEEN if fill.purpose is Purpose.CORPORATE else fill.ts)
        line = self._line(fill.symbol)
        if line.mark_ts < 0:
            line.mark, line.mark_ts = fill.price, fill.ts
        self._cash -= fill.side.sign * fill.quantity * fill.price + fill.commission
        before = line.quantity
        self._unvalue(line)
        order = self._working.get(fill.order_id)
        closed = book_trade(line, fill, self._day)
        if order is not None:
            self._shrink(order, fill.quantity)
        self._value(line)
        if fill.purpose is not Purpose.CORPORATE and _grew(before, line.quantity):
            self._enlarged(line, fill.order_id, order)
        self._settle(line)
        return closed

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Rescale mark, stop and working entries of a symbol by a split.

        The share quantity arrives as a CORPORATE fill at price 0, before or after this call.
        """
        line = self._lines.get(symbol)
        if line is None:
            return
        self._advance(BETWEEN)
        self._unvalue(line)
        rescale(line, self._working.values(), numerator, denominator)
        self._value(line)
        self._settle(line)

    def cash_movement(self, symbol: str, amount: Nanos, kind: str) -> None:
        """Book cash that is not a trade: `kind` is a `CashKind`, the amount positive when received.

        Raises
        ------
        ValueError
            When `kind` is no `CashKind`.
        """
        self._advance(BETWEEN)
        self._cash += amount
        line = self._open.get(symbol)
        if line is not None:
            book_cash(line, amount, CashKind(kind))
            self._settle(line)

    def transfer(self, amount: Nanos) -> None:
        """Book money paid into the account, or out of it (negative).

        It is no gain and no loss: the day's start and its peak move along.
        """
        self._advance(BETWEEN)
        self._cash += amount
        self._peak += amount
        self._day.start_equity += amount

    def set_stop(self, symbol: str, price: Nanos | None) -> None:
        """Set or remove the protective stop of an open position."""
        line = self._open.get(symbol)
        if line is not None:
            line.stop = price
            self._settle(line)

    # -- working orders --------------------------------------------------------------------------

    def order_opened(self, intent: OrderIntent) -> None:
        """Count an allowed order as pending exposure; the same id again replaces it.

        Orders that claim nothing (protective stops, resting exits, corporate) are ignored, so the
        engine may report every order.
        """
        self.order_closed(intent.order_id)
        if intent.purpose is Purpose.CORPORATE:
            return
        line = self._line(intent.symbol)
        order = working.tracked(intent, line)
        if order is None:
            return
        self._working[order.order_id] = order
        self._unfilled_entries += order.entry
        working.add(line, order)
        self._settle(line)

    def order_closed(self, order_id: str) -> None:
        """Release what is left of an order (filled, cancelled, rejected, expired); idempotent."""
        order = self._working.pop(order_id, None)
        if order is None:
            return
        line = self._lines[order.symbol]
        working.add(line, order, -1)
        self._unfilled_entries -= order.entry and not order.filled
        self._settle(line)

    # -- restart ---------------------------------------------------------------------------------

    def snapshot(self) -> BookState:
        """Return a copy of the whole state."""
        return BookState(
            cash=self._cash,
            peak=self._peak,
            instant=self._instant,
            session=self._session,
            day=_copied(self._day),
            positions=tuple(_copied(line) for line in self._lines.values()),
            working=tuple(_copied(order) for order in self._working.values()),
        )

    @classmethod
    def restore(cls, state: BookState) -> Self:
        """Return a book that goes on exactly where `snapshot` was taken."""
        book = cls(state.cash)
        book.load(state)
        return book

    def load(self, state: BookState) -> None:
        """Take a snapshot over everything known so far; gate and views go on with this book."""
        self._lines.clear()
        self._open.clear()
        self._working.clear()
        self._cash = state.cash
        self._long = self._short = self._pending_long = self._pending_short = self._open_risk = 0
        self._occupied = self._unfilled_entries = 0
        self._peak = state.peak
        self._instant = state.instant
        self._session = state.session
        self._day = _copied(state.day)
        for saved in state.positions:
            line = _copied(saved)
            self._lines[line.symbol] = line
            if line.quantity:
                self._open[line.symbol] = line
            self._value(line)
            self._total(line, 1)
        for order in state.working:
            self._working[order.order_id] = _copied(order)
            self._unfilled_entries += order.entry and not order.filled

    # -- private ---------------------------------------------------------------------------------

    def _line(self, symbol: str) -> Position:
        line = self._lines.get(symbol)
        if line is None:
            line = self._lines[symbol] = Position(symbol=symbol)
        return line

    def _advance(self, ts: int) -> None:
        """Settle the instant that ends here: its equity may be the day's peak.

        Splits, their shares and cash movements advance to BETWEEN: they settle what was before
        and the state that they leave half-booked is never settled.
        """
        if ts == self._instant:
            return
        if self._instant != BETWEEN:
            self._peak = max(self._peak, self.equity)
        self._instant = ts

    def _unvalue(self, line: Position) -> None:
        if line.quantity > 0:
            self._long -= line.quantity * line.mark
        else:
            self._short += line.quantity * line.mark

    def _value(self, line: Position) -> None:
        if line.quantity > 0:
            self._long += line.quantity * line.mark
        else:
            self._short -= line.quantity * line.mark

    def _shrink(self, order: WorkingOrder, quantity: int) -> None:
        line = self._lines[order.symbol]
        working.add(line, order, -1)
        self._unfilled_entries -= order.entry and not order.filled
        order.filled = True
        order.remaining = max(0, order.remaining - quantity)
        if order.remaining:
            working.add(line, order)
        else:
            del self._working[order.order_id]

    def _enlarged(self, line: Position, order_id: str, order: WorkingOrder | None) -> None:
        line.increased_today = True
        if order is not None and order.stop is not None:
            line.stop = order.stop
        if line.counted_order != order_id:
            line.counted_order = order_id
            self._day.trades += 1

    def _settle(self, line: Position) -> None:
        """Bring the totals up to date with one line; everything but marks ends here."""
        if line.quantity:
            self._open[line.symbol] = line
        else:
            self._open.pop(line.symbol, None)
        self._total(line, -1)
        buys, sells = line.extra_buys(), line.extra_sells()
        line.pending_long = share(line.buying_value, buys, line.buying)
        line.pending_short = share(line.selling_value, sells, line.selling)
        line.risk = (
            line.stop_risk()
            + share(line.buying_risk, buys, line.buying)
            + share(line.selling_risk, sells, line.selling)
        )
        line.occupied = bool(line.quantity or line.buying or line.selling)
        self._total(line, 1)

    def _total(self, line: Position, sign: int) -> None:
        self._pending_long += sign * line.pending_long
        self._pending_short += sign * line.pending_short
        self._open_risk += sign * line.risk
        self._occupied += sign * line.occupied


def _grew(before: int, after: int) -> bool:
    """Tell whether a signed quantity was opened, enlarged or flipped."""
    same_side = before * after > 0
    return abs(after) > (abs(before) if same_side else 0)


def _copied[T: msgspec.Struct](value: T) -> T:
    """Copy a mutable struct deeply through its plain form."""
    return msgspec.convert(msgspec.to_builtins(value), type(value))
