"""What is known of the account's orders: every link once, and whose it is. No I/O.

All of it can be read again from Alpaca, so forgetting costs a question and nothing else.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tradingd.brokers.alpaca import chain, names, parsing
from tradingd.brokers.alpaca.parsing import Body, Link
from tradingd.domain.broker_reports import BrokerOrder
from tradingd.domain.broker_requests import OrderClass
from tradingd.domain.orders import OrderType

KEPT: Final = 20_000
"""Links that are remembered; beyond, a quarter is forgotten: those that are over, oldest first."""

_ROLES: Final = {"take_profit": names.TARGET, "stop_loss": names.STOP}


class Change(msgspec.Struct, frozen=True):
    """A reading of a link, and the last one before it (None: it was not known)."""

    now: Link
    before: Link | None

    @property
    def moved(self) -> bool:
        """True when shares filled or it ended since it was last known."""
        before = self.before
        return before is not None and (
            self.now.filled > before.filled or (self.now.over and not before.over)
        )


class Registry:
    """Orders by Alpaca's id, their names, chains and parents."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._names: dict[str, str] = {}
        self._chains: dict[str, list[str]] = {}
        self._parents: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._used: dict[str, int] = {}

    def learn(self, body: Body) -> list[Change]:
        """Take an order as Alpaca shows it, with the legs nested in it; return what is new.

        Raises
        ------
        Unreadable
            When it cannot be told from others.
        """
        said = parsing.link(body)
        changes = [self._take(said)]
        for leg in parsing.legs(body):
            link = parsing.link(leg)
            self._parents[link.id] = said.id
            changes.append(self._take(link))
        return changes

    def link(self, order_id: str) -> Link | None:
        """Return what is known of one order at Alpaca."""
        return self._links.get(order_id)

    def name(self, order_id: str) -> str | None:
        """Return whose an order is: a name, empty for others, None when that is not known yet.

        Whoever gets None asks Alpaca for the order's parent or predecessor, lets this learn it, and
        calls `settle` if nothing came of that.
        """
        found = self._names.get(order_id)
        if found is None and (link := self._links.get(order_id)) is not None:
            found = self._derive(link)
            if found is not None:
                self._named(link, found)
        return found

    def settle(self, order_id: str) -> None:
        """Take an order for one of others: nothing at Alpaca says that it is ours."""
        if self.name(order_id) is None and (link := self._links.get(order_id)) is not None:
            self._named(link, "")

    def chain(self, order_id: str) -> list[Link]:
        """Return the links of an order, oldest first; those of others stand alone."""
        name = self.name(order_id)
        if not name:
            return [self._links[order_id]]
        return self.links(name)

    def links(self, name: str) -> list[Link]:
        """Return the links of a name, oldest first; empty when none is known."""
        found = (self._links.get(one) for one in self._chains.get(name, ()))
        return chain.in_order(link for link in found if link is not None)

    def order(self, order_id: str) -> BrokerOrder:
        """Return the domain's order that a link belongs to."""
        links = self.chain(order_id)
        parent = next((self._parents[one.id] for one in links if one.id in self._parents), "")
        return chain.order(self.name(order_id) or "", links, parent=parent)

    def parent(self, order_id: str) -> str:
        """Return Alpaca's id of the order that a leg belongs to; empty for others."""
        return self._parents.get(order_id, "")

    def open(self) -> list[Link]:
        """Return the links that are not over."""
        return [link for link in self._links.values() if not link.over]

    def next_link(self, name: str) -> str:
        """Return the client order id of the next change of an order."""
        return names.link(name, chain.next_number(self.links(name), self._used.get(name, 0)))

    def taken(self, client_order_id: str) -> None:
        """Take note that the id of a change is in use at Alpaca."""
        name = names.root(client_order_id)
        self._used[name] = max(self._used.get(name, 0), names.number(client_order_id))

    # -- private ---------------------------------------------------------------------------------

    def _take(self, said: Link) -> Change:
        before = self._links.get(said.id)
        now = said if before is None else chain.later(before, said)
        if before is not None and not now.replaced_by and before.replaced_by:
            now = msgspec.structs.replace(now, replaced_by=before.replaced_by)
        self._links[said.id] = now
        self.name(said.id)
        if len(self._links) > KEPT:
            self._forget()
        return Change(now, before)

    def _derive(self, link: Link) -> str | None:
        own = link.client_order_id
        if not names.made_by_alpaca(own):
            return names.root(own)
        if link.replaces:
            before = self._links.get(link.replaces)
            return None if before is None else self.name(before.id)
        parent = self._parents.get(link.id) or self._groups.get(link.group, "")
        if parent and parent != link.id:
            self._parents[link.id] = parent
            owner = self.name(parent)
            return owner and owner + _suffix(link)
        # Without legs it stands alone; with legs its parent is still to be found.
        return "" if link.order_class is OrderClass.SIMPLE else None

    def _named(self, link: Link, name: str) -> None:
        self._names[link.id] = name
        if name:
            known = self._chains.setdefault(name, [])
            if link.id not in known:
                known.append(link.id)
        if link.group and link.id not in self._parents and names.sent_name(name) == name != "":
            self._groups.setdefault(link.group, link.id)

    def _forget(self) -> None:
        old: Sequence[Link] = sorted(
            (link for link in self._links.values() if link.over), key=lambda link: link.updated
        )
        self._drop(link.id for link in old[: KEPT // 4])

    def _drop(self, ids: Iterable[str]) -> None:
        for one in ids:
            link = self._links.pop(one)
            name = self._names.pop(one, "")
            self._parents.pop(one, None)
            if self._groups.get(link.group) == one:
                del self._groups[link.group]
            if name in self._chains:
                self._chains[name].remove(one)
                if not self._chains[name]:
                    del self._chains[name]
                    self._used.pop(name, None)


def _suffix(leg: Link) -> str:
    """Return which leg it is, by its role, else by its type."""
    if leg.role in _ROLES:
        return _ROLES[leg.role]
    return names.TARGET if leg.type is OrderType.LIMIT else names.STOP
