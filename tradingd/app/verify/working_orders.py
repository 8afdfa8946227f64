"""Rules on working orders: those of others, and those that both sides know; pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tradingd.app.verify.facts import OurOrder, Ours
from tradingd.app.verify.report import Finding
from tradingd.app.verify.wording import order_text, owner_of, terms_text
from tradingd.domain.broker_reports import BrokerOrder
from tradingd.domain.orders import OrderType

_OPEN: Final = frozenset({"INTENT", "UNKNOWN", "WORKING"})


def foreign_orders(instance: str, orders: Iterable[BrokerOrder]) -> Iterator[Finding]:
    """Orders that work at the broker and are not in the journal."""
    for order in orders:
        owner = owner_of(instance, order.client_order_id)
        yield Finding(
            check="foreign_order",
            subject=order.broker_order_id,
            symbol=order.symbol,
            text=f"{order_text(order)} works at the broker and is not in the journal"
            + (" (ours by its id)" if owner == "ours" else ""),
            broker=order_text(order),
            owner=owner,
        )


def listed_orders(ours: Ours, orders: Sequence[BrokerOrder]) -> Iterator[Finding]:
    """Orders that both know must be open in the journal, too, and on the same terms."""
    for order in orders:
        own = ours.orders.get(order.client_order_id)
        if own is None:
            continue
        if own.state not in _OPEN:
            yield _about(own, "order_state", "WORKING", own.state)
            continue
        if own.state != "WORKING":
            yield _about(own, "order_unsettled", "WORKING", own.state)
        said = (order.symbol, order.side.value, order.type.value, order.quantity)
        believed = (own.symbol, own.side, own.type, own.quantity)
        prices = (order.limit, order.stop), (own.limit, own.stop)
        if said != believed or (prices[0] != prices[1] and own.type != OrderType.TRAILING_STOP):
            yield _about(
                own, "order_terms", terms_text(said, prices[0]), terms_text(believed, prices[1])
            )
        if order.filled != own.filled:
            yield _about(own, "order_filled", str(order.filled), str(own.filled))


def missing_orders(ours: Ours, orders: Sequence[BrokerOrder]) -> Iterator[Finding]:
    """Orders that the journal takes for open must be at the broker."""
    listed = {order.client_order_id for order in orders}
    for own in ours.orders.values():
        if own.state in _OPEN and own.order_id not in listed:
            check = "order_not_at_broker" if own.state == "WORKING" else "order_unsettled"
            yield _about(own, check, "not working", own.state)


def _about(own: OurOrder, check: str, broker: str, ours: str) -> Finding:
    return Finding(
        check=check,
        subject=own.order_id,
        symbol=own.symbol,
        text=f"{own.order_id} ({own.purpose} {own.side} {own.quantity} {own.symbol}): "
        f"the broker says {broker}, the journal {ours}",
        broker=broker,
        ours=ours,
        owner="ours",
    )
