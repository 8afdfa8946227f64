"""Writes a run's records as things happen, with running numbers of our own.

The engine's event ids are random; ours are counters, so the same inputs give the same bytes.
"""

import msgspec

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, Fill
from tradingd.domain.ports import Fees
from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
    Recorder,
)
from tradingd.engine.ticket import Ticket
from tradingd.gate.book import Book, ClosedTrip


class Counts(msgspec.Struct):
    """Rows written so far; each is also the last running number of its table."""

    orders: int = 0
    fills: int = 0
    positions: int = 0
    denials: int = 0
    cash: int = 0


class Ledger:
    """Turns tickets, fills and trips into rows of the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.counts = Counts()
        self.cash_moved: Nanos = 0
        self.last_sample = -1

    def order(self, ticket: Ticket, status: str, ts: int, denied_by: str = "") -> None:
        """Record the final state of an order."""
        self.counts.orders += 1
        self._recorder.order(
            OrderRecord(
                seq=ticket.seq,
                order_id=ticket.order_id,
                strategy=ticket.strategy,
                symbol=ticket.symbol,
                side=ticket.side,
                quantity=ticket.quantity,
                type=ticket.type,
                limit_price=ticket.limit,
                stop_price=ticket.stop,
                purpose=ticket.purpose,
                reason=ticket.reason,
                status=status,
                filled_quantity=ticket.filled,
                average_price=ticket.average,
                ts_submitted=ticket.ts,
                ts_closed=ts,
                denied_by=denied_by,
                parent_id=ticket.parent_id,
            )
        )

    def fill(self, ticket: Ticket, fill: Fill, fees: Fees, position_after: int) -> None:
        """Record an execution with its costs apart."""
        self.counts.fills += 1
        self._recorder.fill(
            FillRecord(
                seq=self.counts.fills,
                order_id=ticket.order_id,
                strategy=ticket.strategy,
                symbol=ticket.symbol,
                side=ticket.side,
                quantity=fill.quantity,
                price=fill.price,
                touch_price=ticket.touch,
                slippage=fill.slippage,
                commission=fill.commission,
                fee_broker=fees.broker,
                fee_exchange=fees.exchange,
                fee_regulatory=fees.regulatory,
                purpose=ticket.purpose,
                reason=ticket.reason,
                position_after=position_after,
                ts=fill.ts,
            )
        )

    def trip(self, trip: ClosedTrip, entry_reason: str, exit_reason: str, bars: int) -> None:
        """Record a round trip."""
        self.counts.positions += 1
        self._recorder.position(
            PositionRecord(
                seq=self.counts.positions,
                strategy=trip.strategy,
                symbol=trip.symbol,
                side=trip.side,
                quantity=trip.quantity,
                entry_price=trip.entry_price,
                exit_price=trip.exit_price,
                realised=trip.realised,
                commission=trip.commission,
                slippage=trip.slippage,
                dividends=trip.dividends,
                borrow=trip.borrow,
                entry_reason=entry_reason,
                exit_reason=exit_reason,
                bars_held=bars,
                ts_opened=trip.ts_opened,
                ts_closed=trip.ts_closed,
            )
        )

    def denial(self, ticket: Ticket, denial: Denial, ts: int) -> None:
        """Record one limit that denied an order."""
        self.counts.denials += 1
        self._recorder.denial(
            DenialRecord(
                seq=self.counts.denials,
                order_id=ticket.order_id,
                strategy=ticket.strategy,
                symbol=ticket.symbol,
                side=ticket.side,
                quantity=ticket.quantity,
                reason=ticket.reason,
                limit=denial.limit,
                observed=denial.observed,
                allowed=denial.allowed,
                explanation=denial.explanation,
                ts=ts,
            )
        )

    def cash(
        self, kind: str, symbol: str, amount: Nanos, quantity: int, note: str, ts: int
    ) -> None:
        """Record a cash movement that is not a trade."""
        self.counts.cash += 1
        self.cash_moved += amount
        self._recorder.cash(
            CashRecord(
                seq=self.counts.cash,
                kind=kind,
                symbol=symbol,
                amount=amount,
                quantity=quantity,
                note=note,
                ts=ts,
            )
        )

    def equity(self, book: Book, ts: int) -> None:
        """Record the account, once per instant."""
        if ts == self.last_sample:
            return
        self.last_sample = ts
        self._recorder.equity(
            EquityRecord(
                ts=ts,
                equity=book.equity,
                cash=book.cash,
                long_value=book.long_value,
                short_value=book.short_value,
                positions=len(book.positions()),
                day_peak=book.day_peak,
            )
        )

    def flush(self) -> None:
        """Hand buffered rows to the recorder's files."""
        self._recorder.flush()
