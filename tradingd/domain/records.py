"""Rows of a run's result tables; field order is column order, money in Nanos, times UTC ns.

The recorder writes Nanos as DECIMAL(18,9) and `ts*` as naive UTC TIMESTAMP_NS; the column layouts
are published in `contracts/`.
"""

from typing import Protocol

import msgspec

from tradingd.domain.money import Nanos


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The final state of one order, allowed or denied."""

    seq: int
    order_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    type: str
    limit_price: Nanos | None
    stop_price: Nanos | None
    purpose: str
    reason: str
    status: str
    filled_quantity: int
    average_price: Nanos | None
    ts_submitted: int
    ts_closed: int | None
    denied_by: str
    parent_id: str


class FillRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution with every cost component apart; `touch_price` is the price before slippage."""

    seq: int
    order_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    price: Nanos
    touch_price: Nanos
    slippage: Nanos
    commission: Nanos
    fee_broker: Nanos
    fee_exchange: Nanos
    fee_regulatory: Nanos
    purpose: str
    reason: str
    position_after: int
    ts: int


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One round trip, from flat to flat; quantities in share units at the entry.

    `realised` is net of commissions; dividends and borrow fees while it was open stand apart.
    """

    seq: int
    strategy: str
    symbol: str
    side: str
    quantity: int
    entry_price: Nanos
    exit_price: Nanos
    realised: Nanos
    commission: Nanos
    slippage: Nanos
    dividends: Nanos
    borrow: Nanos
    entry_reason: str
    exit_reason: str
    bars_held: int
    ts_opened: int
    ts_closed: int


class EquityRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one instant: cash plus marked positions."""

    ts: int
    equity: Nanos
    cash: Nanos
    long_value: Nanos
    short_value: Nanos
    positions: int
    day_peak: Nanos


class DenialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that denied one order."""

    seq: int
    order_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    reason: str
    limit: str
    observed: str
    allowed: str
    explanation: str
    ts: int


class CashRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cash movement that is not a trade: dividend, borrow fee, cash in lieu of a fraction."""

    seq: int
    kind: str
    symbol: str
    amount: Nanos
    quantity: int
    note: str
    ts: int


class Recorder(Protocol):
    """Takes result rows as they happen; implementations bound their own memory."""

    def order(self, row: OrderRecord) -> None:
        """Take an order's final state."""
        ...

    def fill(self, row: FillRecord) -> None:
        """Take an execution."""
        ...

    def position(self, row: PositionRecord) -> None:
        """Take a closed round trip."""
        ...

    def equity(self, row: EquityRecord) -> None:
        """Take a sample of the account."""
        ...

    def denial(self, row: DenialRecord) -> None:
        """Take a limit's denial."""
        ...

    def cash(self, row: CashRecord) -> None:
        """Take a cash movement that is not a trade."""
        ...

    def flush(self) -> None:
        """Hand buffered rows to the files; called once per data chunk."""
        ...
