"""Whose an order is, by its ids alone: roots, links of a replaced order, legs.

============================  ===================  =================================================
order                         its id at Alpaca     in the domain
============================  ===================  =================================================
as it was sent                ``ROOT``             ``ROOT``
after n changes               ``ROOT~n``           ``ROOT`` (a change makes a new order at Alpaca)
target of a bracket or OTO    Alpaca's own         ``ROOT/tp``, from the parent's id
stop of a bracket, OTO, OCO   Alpaca's own         ``ROOT/sl``, from the parent's id
a leg after n changes         ``ROOT/sl~n``        ``ROOT/sl``
made by hand, or by Alpaca    Alpaca's own         none (an order of others)
============================  ===================  =================================================

Of an OCO the order itself is the target. Ids of Alpaca's own making are UUIDs; ours never are.
"""

import re
from typing import Final

LONGEST: Final = 128
"""Characters of a client order id that Alpaca takes."""

TARGET: Final = "/tp"
STOP: Final = "/sl"

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LINK: Final = re.compile(r"(.+)~(\d+)")


def made_by_alpaca(client_order_id: str) -> bool:
    """Tell whether an id is one that Alpaca gives when nobody does."""
    return not client_order_id or _UUID.fullmatch(client_order_id) is not None


def root(client_order_id: str) -> str:
    """Return the name of the order that a link belongs to."""
    found = _LINK.fullmatch(client_order_id)
    return client_order_id if found is None else found[1]


def number(client_order_id: str) -> int:
    """Return which change made a link: 0 for the order as it was sent."""
    found = _LINK.fullmatch(client_order_id)
    return 0 if found is None else int(found[2])


def link(name: str, count: int) -> str:
    """Return the client order id of a change."""
    return f"{name}~{count}"


def sent_name(name: str) -> str:
    """Return the name of the order that was sent: a leg's parent, else the order itself."""
    for suffix in (TARGET, STOP):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def fits(client_order_id: str) -> str | None:
    """Return what is wrong with an id for a new order, None when nothing is."""
    if not client_order_id:
        return "an order needs a client order id"
    if len(link(client_order_id + STOP, 9999)) > LONGEST:
        return f"the client order id is longer than Alpaca's {LONGEST} characters with a change"
    if made_by_alpaca(client_order_id):
        return "a client order id in the form of a UUID is taken for one of Alpaca's own"
    if root(client_order_id) != client_order_id or sent_name(client_order_id) != client_order_id:
        return "the client order id ends like that of a change or a leg"
    return None
