"""Records of the journal, and the Protocol of its writer.

Every record is one row; `write` puts several into one transaction. `ts` is data time (the time of
the market the decision was made in), `wall` is when it happened here; both UTC ns. Money in Nanos.
"""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Protocol

import msgspec

from tradingd.domain.money import Nanos


class OrderState(StrEnum):
    """Life of an order with us.

    INTENT: written down, not known to be sent. UNKNOWN: sent, no proof of anything. WORKING: the
    broker has it. The rest is final: FILLED, CANCELED, EXPIRED, REJECTED (by the broker), DENIED
    (by the gate, never sent), LOST (proven not to be at the broker), SHADOW (would have been sent,
    in shadow mode).
    """

    INTENT = "INTENT"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"
    LOST = "LOST"
    SHADOW = "SHADOW"

    @property
    def final(self) -> bool:
        """True when the order is over (a late fill is still booked)."""
        return self not in (OrderState.INTENT, OrderState.UNKNOWN, OrderState.WORKING)


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of one order; the same `order_id` again replaces the row.

    `paid` is the sum of price x quantity of its fills. `note` says why it is in its state.
    `cancel_asked` is set when we want it gone, so that a restart asks again. A trailing stop has
    either `trail` (dollars a share) or `trail_bps` (of the price).
    """

    order_id: str
    run_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    type: str
    purpose: str
    reason: str
    state: str
    limit: Nanos | None = None
    stop: Nanos | None = None
    protective_stop: Nanos | None = None
    take_profit: Nanos | None = None
    time_in_force: str = "DAY"
    expires: int | None = None
    parent_id: str = ""
    broker_order_id: str = ""
    filled: int = 0
    paid: Nanos = 0
    commission: Nanos = 0
    cancel_asked: bool = False
    note: str = ""
    ts: int = 0
    wall: int = 0
    closed_wall: int | None = None
    trail: Nanos | None = None
    trail_bps: int | None = None
    extended_hours: bool = False


class OrderEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order's life, appended (intent, sent, accepted, fill, cancel asked ...)."""

    order_id: str
    step: str
    detail: str
    ts: int
    wall: int


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; a `fill_id` that is there already changes nothing."""

    fill_id: str
    order_id: str
    run_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    price: Nanos
    commission: Nanos
    slippage: Nanos
    purpose: str
    reason: str
    position_after: int
    ts: int
    wall: int


class TripRow(msgspec.Struct, frozen=True, kw_only=True):
    """One round trip, flat to flat."""

    run_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    entry_price: Nanos
    exit_price: Nanos
    realised: Nanos
    commission: Nanos
    slippage: Nanos
    entry_reason: str
    exit_reason: str
    ts_opened: int
    ts_closed: int


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit (or state) that denied one order."""

    run_id: str
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
    wall: int


class SignalRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy asked for, allowed or not."""

    run_id: str
    strategy: str
    symbol: str
    action: str
    quantity: int
    reason: str
    order_id: str
    ts: int
    wall: int


class GuardRow(msgspec.Struct, frozen=True, kw_only=True):
    """The protection a position must have; `active` False ends it. One row per symbol."""

    symbol: str
    strategy: str
    stop: Nanos | None
    take_profit: Nanos | None
    parent_id: str
    stop_order_id: str
    target_order_id: str
    active: bool
    ts: int


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a trading state, appended; the last one of a scope is in force."""

    scope: str
    name: str
    state: str
    reason: str
    author: str
    since: int
    expires: int | None


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """The book after fill number `fills` (one row, replaced): `state` is a `BookState` as JSON."""

    fills: int
    state: bytes
    ts: int
    wall: int


class EquityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of the account."""

    run_id: str
    equity: Nanos
    cash: Nanos
    positions: int
    day_peak: Nanos
    ts: int
    wall: int


class AdjustmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Shares or cash that changed without a trade."""

    adjustment_id: str
    kind: str
    symbol: str
    shares: int
    cash: Nanos
    numerator: int
    denominator: int
    ts: int
    wall: int


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a scheduled job; the same `job_id` again replaces the row."""

    job_id: str
    name: str
    due: int
    started: int | None
    ended: int | None
    status: str
    detail: str


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the daemon; replaced at its end."""

    run_id: str
    instance: str
    mode: str
    strategy: str
    config_hash: str
    git_commit: str
    data: str
    started: int
    ended: int | None = None
    outcome: str = ""


class MarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A named value that survives restarts (feed position, counters); replaced by key."""

    key: str
    value: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One audited event; the writer adds number and hash chain.

    `uid` and `pid` are the peer's at the control socket, -1 for the daemon itself.
    """

    actor: str
    action: str
    subject: str
    detail: str
    wall: int
    uid: int = -1
    pid: int = -1


type Record = (
    OrderRow
    | OrderEventRow
    | FillRow
    | TripRow
    | DecisionRow
    | SignalRow
    | GuardRow
    | StateRow
    | BookRow
    | EquityRow
    | AdjustmentRow
    | JobRow
    | RunRow
    | MarkRow
    | AuditRow
)


class Journal(Protocol):
    """The one writer of an instance's journal; a thread of its own commits batches in order."""

    def write(self, *records: Record) -> Awaitable[None]:
        """Queue records as one transaction; the awaitable ends when it is committed.

        Records are queued at once, in call order, whether or not the result is awaited. A failed
        write raises from the awaitable and from `failure` ever after: nothing may be sent then.
        """
        ...

    @property
    def oldest_pending(self) -> float:
        """Seconds that the oldest uncommitted write has been waiting; 0.0 when there is none."""
        ...

    @property
    def failure(self) -> BaseException | None:
        """The error that stopped the writer, None while it works."""
        ...
