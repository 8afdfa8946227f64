"""Orders, changes and cancels: judged by the rules, sent once, each with its outcome."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from tradingd.brokers.alpaca import bodies, chain, outcomes, rules
from tradingd.brokers.alpaca.client import FIRST, LATER, Client
from tradingd.brokers.alpaca.finder import Finder
from tradingd.brokers.alpaca.parsing import Link, Unreadable
from tradingd.brokers.alpaca.registry import Registry
from tradingd.brokers.alpaca.replies import Answered, Refused, Reply
from tradingd.domain.broker import Accepted, BrokerUnavailable, Outcome, Rejected, Unknown
from tradingd.domain.broker_requests import OrderClass, OrderRequest
from tradingd.domain.money import Nanos


class Commands:
    """Sends what changes the account.

    Parameters
    ----------
    client, registry, finder : Client, Registry, Finder
        Parts of the same broker.
    sent : Callable
        Hears Alpaca's id of every order that was made.
    """

    def __init__(
        self,
        client: Client,
        registry: Registry,
        finder: Finder,
        sent: Callable[[str], None] = lambda _order_id: None,
    ) -> None:
        self._sent = sent
        self._client = client
        self._registry = registry
        self._finder = finder
        self._stale: set[str] = set()

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once, if the rules let it."""
        if (reason := rules.refusal(order)) is not None:
            return Rejected(f"not sent, Alpaca does not take it: {reason}")
        body = bodies.order(order)
        if (reason := self._client.objection(body)) is not None:
            return Rejected(f"not sent: {reason}")
        priority = FIRST if order.urgent else LATER
        reply = await self._client.command("POST", "/orders", body, priority=priority)
        self._learn(reply)
        return outcomes.of_submit(reply, order.client_order_id)

    async def replace(
        self, name: str, *, quantity: int, limit: Nanos | None, stop: Nanos | None
    ) -> Outcome:
        """Change an order; `quantity` is the total over its chain, None keeps a price."""
        found = await self._current(name)
        if not isinstance(found, Link):
            return found
        links = self._registry.chain(found.id)
        now = chain.order(name, links)
        if quantity <= now.filled:
            return Rejected(f"{now.filled} shares have filled, so it cannot be for {quantity}")
        if (reason := _change_refusal(found, limit, stop)) is not None:
            return Rejected(f"not sent, Alpaca does not take it: {reason}")
        if (quantity, limit or now.limit, stop or now.stop) == (now.quantity, now.limit, now.stop):
            return Accepted(found.id)
        legs = found.order_class not in (OrderClass.SIMPLE, None)
        body = bodies.change(
            self._registry.next_link(name),
            quantity=None if legs and quantity == now.quantity else quantity - now.filled,
            limit=limit,
            stop=stop,
        )
        if (reason := self._client.change_objection(body)) is not None:
            return Rejected(f"not sent: {reason}")
        reply = await self._client.command("PATCH", _path(found.id), body)
        if outcomes.duplicate(reply):
            self._registry.taken(str(body["client_order_id"]))
        self._learn(reply)
        return self._doubted(name, outcomes.of_replace(reply))

    async def cancel(self, name: str) -> Outcome:
        """Ask for a cancel of whatever works of an order."""
        found = await self._current(name)
        if not isinstance(found, Link):
            return found
        reply = await self._client.command("DELETE", _path(found.id))
        return self._doubted(name, outcomes.of_cancel(reply, found.id))

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Cancel one order by Alpaca's id."""
        reply = await self._client.command("DELETE", _path(broker_order_id))
        return outcomes.of_cancel(reply, broker_order_id)

    async def cancel_all(self) -> int:
        """Cancel every order of the account; return how many Alpaca says it has asked to.

        Raises
        ------
        BrokerUnavailable
            When there is no answer; some or all may have been cancelled.
        """
        reply = await self._client.command("DELETE", "/orders")
        match reply:
            case Answered(None):
                return 0
            case Answered(list(parts)):
                return sum(1 for part in parts if _done(part))
            case Answered():
                raise BrokerUnavailable("cancelling all: an answer that proves nothing")
            case Refused():
                raise BrokerUnavailable(f"cancelling all: {reply.text()}")
        raise BrokerUnavailable(f"cancelling all: {reply.why}")

    # -- private ---------------------------------------------------------------------------------

    async def _current(self, name: str) -> Link | Outcome:
        """Return the link that works now; asked for when it is not known or was wrong."""
        links = self._registry.links(name)
        doubtful = name in self._stale or chain.missing(links) or chain.left_behind(links)
        if not links or doubtful:
            try:
                with self._client.urgently():
                    found = await self._finder.order(name)
                if found is None:
                    return Rejected("Alpaca does not have the order")
            except BrokerUnavailable as error:
                return Unknown(f"which order to change could not be asked: {error}")
            self._stale.discard(name)
            links = self._registry.links(name)
        return chain.working(links)

    def _doubted(self, name: str, outcome: Outcome) -> Outcome:
        """Ask anew before the next command, unless Alpaca has taken this one or never saw it."""
        passing = isinstance(outcome, Rejected) and outcome.passing
        if not passing and not isinstance(outcome, Accepted):
            self._stale.add(name)
        return outcome

    def _learn(self, reply: Reply) -> None:
        match reply:
            case Answered({"id": str()} as body) if isinstance(body, Mapping):
                try:
                    changes = self._registry.learn(body)
                except Unreadable:
                    return
                for change in changes:
                    self._sent(change.now.id)


def _path(order_id: str) -> str:
    return f"/orders/{quote(order_id, safe='')}"


def _change_refusal(link: Link, limit: Nanos | None, stop: Nanos | None) -> str | None:
    if limit is not None and link.limit is None:
        return "the order has no limit price to change"
    if stop is not None and link.stop is None:
        return "the order has no stop price to change"
    return rules.price_refusal("the limit price", limit) or rules.price_refusal(
        "the stop price", stop
    )


def _done(part: object) -> bool:
    match part:
        case {"status": int(status)}:
            return 200 <= status < 300
    return False
