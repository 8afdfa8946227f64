"""What every broker is to us: one Protocol, engine-neutral, with three outcomes of a command.

A command ends accepted, rejected or unknown. Unknown is not rejection: the message may have
arrived, so the order stays open until the broker has been asked by its client order id.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    AssetFacts,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
)
from tradingd.domain.broker_requests import Capabilities, OrderRequest
from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction
from tradingd.domain.money import Nanos


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """The broker has the order (or the change, or the cancel request)."""

    broker_order_id: str


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """The broker says that it does not and will not have it.

    One that is `passing` says nothing of the order itself: the rate limit stood in front of it, or
    it has not left. The same may be asked again in a moment.
    """

    reason: str
    passing: bool = False


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """No answer that proves either; to be settled by asking for the client order id."""

    why: str


type Outcome = Accepted | Rejected | Unknown


class Withdrawn(asyncio.CancelledError):
    """A command was cancelled by its caller before a byte of it had left: it was never sent."""


class BrokerUnavailable(Exception):
    """A question to the broker got no answer: not connected, timed out, broken stream."""


class Broker(Protocol):
    """A connection to one account.

    Commands (`submit`, `replace`, `cancel`) never raise for what the broker or the network does:
    they return an `Outcome`. Questions raise `BrokerUnavailable`. Reconnecting is the broker's own
    work; it tells by `ConnectionUpdate`.
    """

    @property
    def name(self) -> str:
        """Kind of broker, e.g. ``simulated``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the broker takes."""
        ...

    @property
    def connected(self) -> bool:
        """What the client believes; health checks use `ping` instead."""
        ...

    async def connect(self) -> BrokerAccount:
        """Connect and log in; return the account.

        Raises
        ------
        Failure
            BROKER, when there is nothing to talk to or the login is refused.
        """
        ...

    async def close(self) -> None:
        """Disconnect; orders stay where they are."""
        ...

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once."""
        ...

    async def replace(
        self, client_order_id: str, *, quantity: int, limit: Nanos | None, stop: Nanos | None
    ) -> Outcome:
        """Change a working order in place; `quantity` is its new total."""
        ...

    async def cancel(self, client_order_id: str) -> Outcome:
        """Ask for a cancel; the confirmation comes as an `OrderUpdate`."""
        ...

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Cancel one order by the broker's id, an order of others too (kill switch, repair)."""
        ...

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        """Return what the broker knows of an order; None proves that it does not have it now."""
        ...

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account, those of others too."""
        ...

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        """Return executions at or after a broker time, oldest first."""
        ...

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return adjustments at or after a broker time, oldest first; empty where none exist."""
        ...

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat."""
        ...

    async def account(self) -> BrokerAccount:
        """Return cash and equity."""
        ...

    async def ping(self) -> float:
        """Return the seconds of one round trip to the broker, not to our own buffers."""
        ...

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Yield what happens from `connect` on, in order; may repeat itself, never skips.

        After a reconnect it begins with what happened in between, where the broker can tell.
        """
        ...


@runtime_checkable
class AssetBook(Protocol):
    """A broker that tells what may be traded and sold short."""

    async def assets(self, symbols: Sequence[str]) -> Sequence[AssetFacts]:
        """Return the facts of the symbols it knows; an unknown symbol is left out.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        ...


@runtime_checkable
class BrokerClock(Protocol):
    """A broker that tells its time, to measure the drift of ours."""

    async def time(self) -> int:
        """Return the broker's time in UTC ns.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        ...


class MarketSink(Protocol):
    """A simulated broker that must be told the market it trades in."""

    async def market(self, batch: Batch) -> None:
        """Tell it the next bars; its fills of them are on the event stream when this returns."""
        ...

    async def corporate_action(self, action: CorporateAction, ts: int) -> None:
        """Tell it a split or dividend that takes effect now (data time, UTC ns)."""
        ...
