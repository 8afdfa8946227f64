"""Cancel everything, close everything, and look again until the account is proven flat.

Nothing here trusts an answer to a command. What counts is what the broker says when it is asked,
and at the end what it says to a connection that was not there before.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from tradingd.domain.broker import BrokerUnavailable, Outcome, Rejected
from tradingd.domain.broker_reports import BrokerAccount, BrokerOrder, BrokerPosition
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.money import SCALE, decimal
from tradingd.domain.orders import OrderType, Side
from tradingd.kits.failure import ExitCode, Failure

log = logging.getLogger(__name__)


class ClosingBroker(Protocol):
    """What the kill switch asks of a broker's client."""

    async def connect(self) -> BrokerAccount:
        """Connect and log in; Failure BROKER when that fails."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once."""
        ...

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Ask for the cancel of one order, whoever sent it."""
        ...

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        """Return what the broker knows of an order."""
        ...

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account."""
        ...

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat."""
        ...


type Connect = Callable[[], ClosingBroker]


def patience(*, deadline: float, settle: float, answer: float) -> "Patience":
    """Return the time limits that follow from what a person chooses."""
    return Patience(
        deadline=deadline,
        answer=answer,
        cancels=answer,
        closes=2 * answer,
        absent=2 * answer,
        settle=settle,
    )


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long, in seconds.

    Parameters
    ----------
    deadline : float
        The whole attempt.
    answer : float
        One answer of the broker.
    cancels : float
        A cancel that is not confirmed by then is asked for again.
    closes : float
        A closing order that still works by then is cancelled and sent anew.
    absent : float
        A closing order without an answer must be absent at the broker this long to be proven lost.
    settle : float
        The account must stay flat this long: fills may come late.
    again : float
        Before closing orders are sent again after the broker refused some.
    poll : float
        Between two questions.
    """

    deadline: float = 120.0
    answer: float = 5.0
    cancels: float = 5.0
    closes: float = 10.0
    absent: float = 10.0
    settle: float = 2.0
    again: float = 1.0
    poll: float = 0.05


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and what is left; `flat` only when a fresh connection proved it."""

    flat: bool
    account: str
    canceled: tuple[str, ...]
    closed: tuple[str, ...]
    orders_left: tuple[str, ...]
    positions_left: tuple[str, ...]
    troubles: tuple[str, ...]


class Closing:
    """One attempt to make an account flat.

    Parameters
    ----------
    connect : Callable
        Makes a client that is not connected yet.
    account : str
        The only account this may touch; empty: the one the broker answers with first.
    prefix : str
        Begins the client order ids of this attempt; unique for ever.
    patience : Patience
        Time limits.
    """

    def __init__(self, connect: Connect, *, account: str, prefix: str, patience: Patience) -> None:
        self._connect = connect
        self._account = account
        self._prefix = prefix
        self._patience = patience
        self._end = 0.0
        self._sent = 0
        self._canceled: dict[str, str] = {}
        self._closed: list[str] = []
        self._troubles: list[str] = []

    async def run(self) -> Closed:
        """Try until the account is proven flat or the deadline has passed.

        Raises
        ------
        Failure
            NOT_FLAT, when the broker holds another account than the one that was stated.
        """
        self._end = self._now() + self._patience.deadline
        while True:
            flat = await self._attempt()
            if flat or self._late():
                return await self._report(flat)
            await asyncio.sleep(self._patience.poll)

    async def _attempt(self) -> bool:
        """Make flat, then prove it over a fresh connection; False when either did not work out."""
        try:
            async with self._connected() as broker:
                if not await self._make_flat(broker):
                    return False
            async with self._connected() as fresh:
                return await self._is_flat(fresh)
        except (BrokerUnavailable, TimeoutError) as trouble:
            self._trouble(f"the broker is away: {trouble}")
        except Failure as failure:
            if failure.code is not ExitCode.BROKER:
                raise
            self._trouble(failure.line())
        return False

    async def _make_flat(self, broker: ClosingBroker) -> bool:
        while not self._late():
            if not await self._cancel_all(broker):
                continue
            if positions := await broker.positions():
                await self._close_all(broker, positions)
            elif await self._stays_flat(broker):
                return True
        return False

    async def _cancel_all(self, broker: ClosingBroker) -> bool:
        """Ask for every cancel; True when the broker has no working order any more."""
        orders = await broker.open_orders()
        outcomes = await asyncio.gather(
            *(broker.cancel_at_broker(order.broker_order_id) for order in orders)
        )
        for order, outcome in zip(orders, outcomes, strict=True):
            self._canceled[order.broker_order_id] = _order_text(order)
            if isinstance(outcome, Rejected):
                self._trouble(f"cancel of {_order_text(order)} rejected: {outcome.reason}")

        async def gone() -> bool:
            return not await broker.open_orders()

        return await self._wait(gone, self._patience.cancels)

    async def _close_all(self, broker: ClosingBroker, positions: Sequence[BrokerPosition]) -> None:
        """Send one closing order a position and wait until the fate of each is known.

        Never a second one while the first may still fill: that would turn the position around.
        """
        orders = [self._closing_order(position) for position in positions if position.quantity]
        for position in positions:
            if position.fraction:
                self._trouble(f"{_held_text(position)}: no order closes a part of a share")
        if not orders:
            await asyncio.sleep(min(self._patience.again, max(0.0, self._end - self._now())))
        outcomes = await asyncio.gather(*(broker.submit(order) for order in orders))
        for order, outcome in zip(orders, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                self._trouble(f"close of {order.symbol} rejected: {outcome.reason}")
            else:
                self._closed.append(f"{order.side} {order.quantity} {order.symbol}")
        for order in orders:
            await self._settle_order(broker, order.client_order_id)
        if any(isinstance(outcome, Rejected) for outcome in outcomes):
            await asyncio.sleep(min(self._patience.again, max(0.0, self._end - self._now())))

    def _closing_order(self, position: BrokerPosition) -> OrderRequest:
        self._sent += 1
        return OrderRequest(
            client_order_id=f"{self._prefix}-{self._sent}",
            symbol=position.symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            quantity=abs(position.quantity),
            type=OrderType.MARKET,
            urgent=True,
        )

    async def _settle_order(self, broker: ClosingBroker, client_order_id: str) -> None:
        """Wait until an order is over, has worked for too long, or is proven to be lost."""
        begun = self._now()

        async def settled() -> bool:
            found = await broker.order(client_order_id)
            if found is None:
                return self._now() - begun >= self._patience.absent
            return found.status.final or self._now() - begun >= self._patience.closes

        await self._wait(settled, max(self._patience.absent, self._patience.closes) + 1.0)

    async def _stays_flat(self, broker: ClosingBroker) -> bool:
        async def disturbed() -> bool:
            return not await self._is_flat(broker)

        return not await self._wait(disturbed, self._patience.settle)

    async def _is_flat(self, broker: ClosingBroker) -> bool:
        return not await broker.positions() and not await broker.open_orders()

    async def _wait(self, condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        """Ask until the condition holds; False when it does not within the time."""
        end = min(self._now() + seconds, self._end)
        while not await condition():
            if self._now() >= end:
                return False
            await asyncio.sleep(self._patience.poll)
        return True

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClosingBroker]:
        broker = self._connect()
        try:
            account = await broker.connect()
            self._account = self._account or account.account_id
            if account.account_id != self._account:
                raise _other_account(self._account, account.account_id)
            yield broker
        finally:
            await broker.close()

    async def _report(self, flat: bool) -> Closed:
        orders: Sequence[BrokerOrder] = ()
        positions: Sequence[BrokerPosition] = ()
        if not flat:
            with contextlib.suppress(BrokerUnavailable, Failure):
                async with self._connected() as broker:
                    orders, positions = await broker.open_orders(), await broker.positions()
        return Closed(
            flat=flat,
            account=self._account,
            canceled=tuple(self._canceled.values()),
            closed=tuple(self._closed),
            orders_left=tuple(map(_order_text, orders)),
            positions_left=tuple(map(_held_text, positions)),
            troubles=tuple(self._troubles),
        )

    def _trouble(self, text: str) -> None:
        """Keep what went wrong, each thing once, the latest ones."""
        if text not in self._troubles:
            log.warning("%s", text)
            self._troubles = [*self._troubles, text][-20:]

    def _late(self) -> bool:
        return self._now() >= self._end

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _order_text(order: BrokerOrder) -> str:
    return (
        f"{order.side} {order.quantity - order.filled} {order.symbol} {order.type}"
        f" ({order.client_order_id or order.broker_order_id})"
    )


def _held_text(position: BrokerPosition) -> str:
    held = decimal(position.quantity * SCALE + position.fraction).normalize()
    return f"{held:+f} {position.symbol}"


def _other_account(expected: str, found: str) -> Failure:
    return Failure(
        "the broker holds another account than this instance's",
        code=ExitCode.NOT_FLAT,
        expected=expected,
        found=found,
        next_step="nothing was touched; check the broker's address and endpoint.json",
    )
