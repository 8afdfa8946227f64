"""The stand-alone simulated broker behind the Protocol that every broker has."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.brokers.simulated import parsing
from tradingd.brokers.simulated.client import Body, Lost, NoAnswer, NothingSent
from tradingd.brokers.simulated.link import Link
from tradingd.brokers.simulated.outcomes import of_reply, of_trouble
from tradingd.domain.broker import BrokerUnavailable, Outcome
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
)
from tradingd.domain.broker_requests import Capabilities, OrderRequest, TimeInForce
from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType
from tradingd.kits.failure import ExitCode, Failure

CAPABILITIES: Final = Capabilities(
    types=frozenset(
        {
            OrderType.MARKET,
            OrderType.LIMIT,
            OrderType.STOP_MARKET,
            OrderType.STOP_LIMIT,
            OrderType.TRAILING_STOP,
        }
    ),
    times_in_force=frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    lockstep=True,
)

MARKET_PATIENCE: Final = 5
"""Time limits that telling the market may take, reconnecting included."""


class SimulatedBroker:
    """Client of one simulated broker; implements `Broker` and `MarketSink`.

    Parameters
    ----------
    socket : Path
        Unix socket of the broker.
    timeout : float
        Seconds to wait for a reply; a command without one has an unknown outcome.
    """

    def __init__(self, socket: Path, *, timeout: float) -> None:
        self._timeout = timeout
        self._link = Link(socket, timeout)

    @property
    def name(self) -> str:
        """Kind of broker."""
        return "simulated"

    @property
    def capabilities(self) -> Capabilities:
        """What the broker takes."""
        return CAPABILITIES

    @property
    def connected(self) -> bool:
        """What the client believes; health checks use `ping` instead."""
        return self._link.connected

    @property
    def market_ts(self) -> int:
        """Data time that the broker had reached when it was connected to, UTC ns; 0: none."""
        return self._link.hello.market_ts

    async def connect(self) -> BrokerAccount:
        """Connect, subscribe from now on, and return the account.

        Raises
        ------
        Failure
            BROKER, when nothing answers.
        """
        return parsing.account(await self._link.start())

    async def close(self) -> None:
        """Disconnect; orders stay where they are."""
        await self._link.stop()

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once."""
        return await self._command("submit", parsing.submit_fields(order))

    async def replace(
        self, client_order_id: str, *, quantity: int, limit: Nanos | None, stop: Nanos | None
    ) -> Outcome:
        """Change a working order in place; `quantity` is its new total, None keeps a price."""
        fields = parsing.replace_fields(client_order_id, quantity, limit, stop)
        return await self._command("replace", fields)

    async def cancel(self, client_order_id: str) -> Outcome:
        """Cancel every working order of a client order id; Rejected when none works."""
        return await self._command("cancel", {"client_order_id": client_order_id})

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Cancel one order by the broker's id, an order of others too."""
        return await self._command("cancel", {"broker_order_id": broker_order_id})

    async def cancel_all(self) -> int:
        """Cancel every working order of the account, those of others too; return how many.

        Raises
        ------
        BrokerUnavailable
            When there is no answer; some or all may have been cancelled.
        """
        reply = await self._question("cancel_all", {})
        canceled = reply.get("canceled")
        return len(canceled) if isinstance(canceled, list) else 0

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        """Return the order of a client id: the working one, else the last; None: not here now."""
        reply = await self._question("order", {"client_order_id": client_order_id})
        found = self._read(parsing.orders, reply)
        for order in found:
            if order.status is BrokerStatus.WORKING:
                return order
        return found[-1] if found else None

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account."""
        return self._read(parsing.orders, await self._question("open_orders", {}))

    async def all_orders(self) -> Sequence[BrokerOrder]:
        """Return every order the broker ever had."""
        return self._read(parsing.orders, await self._question("orders", {}))

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        """Return executions at or after a data time, oldest first."""
        return self._read(parsing.fills, await self._question("fills", {"since": since_ns}))

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return adjustments at or after a data time, oldest first."""
        reply = await self._question("adjustments", {"since": since_ns})
        return self._read(parsing.adjustments, reply)

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat."""
        return self._read(parsing.positions, await self._question("positions", {}))

    async def account(self) -> BrokerAccount:
        """Return cash and equity."""
        return self._read(parsing.account, await self._question("account", {}))

    async def ping(self) -> float:
        """Return the seconds of one round trip through the broker's own loop."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        await self._question("ping", {})
        return clock() - begun

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Yield what happens from `connect` on, in the broker's order, each event once."""
        return self._link.events()

    async def drained(self) -> None:
        """Wait until the events that have come were taken by whoever follows them."""
        await self._link.drained()

    async def caught_up(self) -> int:
        """Wait until all that the broker has done so far was taken; return its last event.

        An order is answered before its events, so `drained` alone may miss the fill of an order
        that has just been accepted.

        Raises
        ------
        BrokerUnavailable
            When there is no answer, or the events do not come.
        """
        # An introduction is answered whatever else is not, in the simulated broker's drills too.
        last = (await self._question("hello", {})).get("seq")
        if not isinstance(last, int) or not await self._link.caught_up(last, self._timeout):
            raise BrokerUnavailable("the latest events did not come")
        await self._link.drained()
        return last

    async def market(self, batch: Batch) -> None:
        """Tell the next bars; their fills are on the event stream when this returns.

        Raises
        ------
        BrokerUnavailable
            When the broker did not take them, reconnecting included.
        Failure
            BROKER, when it refuses them, for example because their time goes back.
        """
        await self._tell("market", parsing.market_fields(batch))

    async def corporate_action(self, action: CorporateAction, ts: int) -> None:
        """Tell an action that takes effect now; it is applied once, however often it is told."""
        await self._tell("corporate_action", parsing.action_fields(action, ts))

    async def session_close(self) -> None:
        """End the session: working DAY orders expire now, not with the next day's first bar."""
        await self._tell("session_close", {})

    async def misbehave(self, plan: Mapping[str, object]) -> None:
        """Let the broker misbehave from now on; an empty plan ends it.

        Raises
        ------
        Failure
            BROKER, when the plan is not understood.
        BrokerUnavailable
            When there is no answer.
        """
        try:
            reply = await self._link.ask("misbehave", {"plan": dict(plan)})
        except (NothingSent, Lost, NoAnswer) as trouble:
            raise BrokerUnavailable(str(trouble)) from trouble
        if reply.get("ok") is not True:
            raise _refused("misbehave", reply)

    async def shut_down(self) -> None:
        """End the broker's process."""
        await self._question("shutdown", {})

    async def _command(self, op: str, fields: Body) -> Outcome:
        try:
            return of_reply(await self._link.ask(op, fields))
        except (NothingSent, Lost, NoAnswer) as trouble:
            return of_trouble(trouble)

    async def _question(self, op: str, fields: Body) -> Body:
        try:
            reply = await self._link.ask(op, fields)
        except (NothingSent, Lost, NoAnswer) as trouble:
            raise BrokerUnavailable(str(trouble)) from trouble
        if reply.get("ok") is not True:
            raise BrokerUnavailable(f"the broker has no answer to {op}: {reply.get('error')}")
        return reply

    @staticmethod
    def _read[T](parse: Callable[[Body], T], reply: Body) -> T:
        try:
            return parse(reply)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise BrokerUnavailable(f"an answer that cannot be read: {error}") from error

    async def _tell(self, op: str, fields: Body) -> None:
        """Send what may be sent again without harm, and wait for its events.

        Goes on over a lost connection: the broker skips what it has been told before.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + MARKET_PATIENCE * self._timeout
        while True:
            try:
                reply = await self._link.ask(op, fields)
                break
            except (NothingSent, Lost, NoAnswer) as trouble:
                left = end - loop.time()
                if left <= 0 or not await self._link.wait_until_up(left):
                    raise BrokerUnavailable(f"{op} was not taken: {trouble}") from trouble
        if reply.get("ok") is not True:
            raise _refused(op, reply)
        last = reply.get("seq")
        if isinstance(last, int) and not await self._link.caught_up(last, end - loop.time()):
            raise BrokerUnavailable(f"the events of {op} did not come")


def _refused(op: str, reply: Body) -> Failure:
    return Failure(
        f"The simulated broker refuses {op}",
        code=ExitCode.BROKER,
        where=op,
        found=str(reply.get("error", "")),
        next_step="see contracts/simbroker.md; market time may not go back within one store",
    )
