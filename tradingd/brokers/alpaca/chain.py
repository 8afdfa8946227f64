"""A changed order is a chain of orders at Alpaca; in the domain it stays one. Pure.

A change (PATCH) ends one order as ``replaced`` and begins another that counts its own shares from
zero. So of a chain:

* filled = what filled in all links;
* quantity = what filled in the links before the working one, and that one's quantity;
* prices, type and state = those of the working link: the newest that was not rejected. While a
  change is not through, both are there: the old one in ``pending_replace``, the new one pending.
* A change that the exchange refused leaves a rejected link behind, and the one before goes on.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tradingd.brokers.alpaca import names
from tradingd.brokers.alpaca.parsing import FINAL, REPLACED, Link
from tradingd.domain.broker_reports import BrokerOrder, BrokerStatus

CHANGING: Final = "pending_replace"


def in_order(links: Iterable[Link]) -> list[Link]:
    """Sort links, oldest first: by the number of the change, then by what replaces what."""
    known = {link.id: link for link in links}
    return sorted(known.values(), key=lambda link: _place(link, known))


def working(links: Sequence[Link]) -> Link:
    """Return the link that counts now, of a chain in order."""
    return next((link for link in reversed(links) if link.status != "rejected"), links[-1])


def order(name: str, links: Sequence[Link], *, parent: str = "") -> BrokerOrder:
    """Return the domain's order of a chain in order; `name` is empty for orders of others."""
    current = working(links)
    before = sum(link.filled for link in links if link is not current)
    status, reason = _state(links, current)
    return BrokerOrder(
        client_order_id=name,
        broker_order_id=current.id,
        symbol=current.symbol,
        side=current.side,
        quantity=before + current.quantity,
        type=current.type,
        status=status,
        filled=before + current.filled,
        limit=current.limit,
        stop=current.stop,
        reason="; ".join(part for part in (reason, current.note) if part),
        ts=current.updated,
        time_in_force=current.time_in_force,
        parent_order_id=parent,
    )


def next_number(links: Iterable[Link], used: int = 0) -> int:
    """Return the number of the next change; numbers up to `used` are known to be taken."""
    return max(used, *(names.number(link.client_order_id) for link in links), 0) + 1


def later(known: Link, said: Link) -> Link:
    """Return which of two readings of a link is the later one.

    Events come late, twice and out of order, answers cross them: what is over stays over, what has
    filled stays filled, then the time of the change decides.
    """
    return max(known, said, key=lambda link: (link.over, link.filled, link.updated, link is said))


def missing(links: Sequence[Link]) -> set[str]:
    """Return the ids of links that must exist and are not among these."""
    known = {link.id for link in links}
    named = {link.replaces for link in links} | {link.replaced_by for link in links}
    return {one for one in named if one and one not in known}


def left_behind(links: Sequence[Link]) -> set[str]:
    """Return the ids of links that were replaced since they were read: they may have filled more.

    How much they have filled counts in the order's quantity, and in what a change must ask for.
    """
    replaced = {link.replaces for link in links if link.status != "rejected"}
    return {link.id for link in links if link.id in replaced and not link.over}


def _place(link: Link, known: dict[str, Link]) -> tuple[int, int, int]:
    """Return number of the change, steps of Alpaca's own since, and time."""
    number, steps = names.number(link.client_order_id), 0
    current = link
    while names.made_by_alpaca(current.client_order_id) and steps < len(known):
        before = known.get(current.replaces)
        if before is None:
            break
        current, steps = before, steps + 1
        number = names.number(current.client_order_id)
    return number, steps, link.submitted


def _state(links: Sequence[Link], current: Link) -> tuple[BrokerStatus, str]:
    if current.status == REPLACED:
        if current is not links[-1]:
            return BrokerStatus.CANCELED, "its replacement was rejected"
        # What replaced it is not known yet: nothing is over.
        return BrokerStatus.WORKING, ""
    status = FINAL.get(current.status, BrokerStatus.WORKING)
    return status, "" if status in (BrokerStatus.WORKING, BrokerStatus.FILLED) else current.status
