"""The two sides as plain facts: what the journal holds, what the broker answers."""

from collections.abc import Mapping, Sequence

import msgspec

from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
)
from tradingd.domain.money import Nanos


class OurOrder(msgspec.Struct, frozen=True):
    """An order of the journal, as far as it is compared."""

    order_id: str
    symbol: str
    side: str
    quantity: int
    type: str
    purpose: str
    state: str
    limit: Nanos | None
    stop: Nanos | None
    protective_stop: Nanos | None
    filled: int


class OurFill(msgspec.Struct, frozen=True):
    """An execution of the journal."""

    fill_id: str
    order_id: str
    symbol: str
    side: str
    quantity: int
    price: Nanos
    commission: Nanos
    ts: int


class OurAdjustment(msgspec.Struct, frozen=True):
    """Shares or cash that changed without a trade, by the journal."""

    adjustment_id: str
    symbol: str
    shares: int
    cash: Nanos
    numerator: int
    denominator: int
    ts: int


class OurGuard(msgspec.Struct, frozen=True):
    """The stop that a position must have."""

    symbol: str
    stop: Nanos | None


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """The journal in one snapshot; `cash` is None before anything was booked.

    `since` is the data time of its first record, 0 before there is one; `started` the wall time of
    its first run.
    """

    since: int
    started: int
    orders: Mapping[str, OurOrder]
    fills: Mapping[str, OurFill]
    adjustments: Sequence[OurAdjustment]
    guards: Mapping[str, OurGuard]
    cash: Nanos | None


class Theirs(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's answers, asked one after the other."""

    account: BrokerAccount
    positions: Sequence[BrokerPosition]
    orders: Sequence[BrokerOrder]
    fills: Sequence[BrokerFill]
    adjustments: Sequence[AdjustmentUpdate]
