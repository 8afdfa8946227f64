"""Rules on executions, and on shares and cash that changed without one; pure."""

from collections.abc import Iterator, Sequence

from tradingd.app.verify.facts import Ours, Theirs
from tradingd.app.verify.report import Finding
from tradingd.app.verify.wording import fill_text, owner_of
from tradingd.domain.broker_reports import BrokerFill
from tradingd.domain.money import dollars, price_text


def executions(instance: str, ours: Ours, fills: Sequence[BrokerFill]) -> Iterator[Finding]:
    """Compare the executions since the journal began, each with each."""
    there = {fill.fill_id: fill for fill in fills}
    for fill in fills:
        if fill.fill_id in ours.fills:
            yield from _same_fill(ours, fill)
        elif fill.ts >= ours.since:
            known = fill.client_order_id in ours.orders
            owner = "ours" if known else owner_of(instance, fill.client_order_id)
            yield Finding(
                check="fill_not_in_journal",
                subject=fill.fill_id,
                symbol=fill.symbol,
                text=f"{fill.side} {fill.quantity} {fill.symbol} at {price_text(fill.price)} "
                f"({fill.client_order_id or fill.broker_order_id}) is not in the journal",
                broker=f"{fill.side} {fill.quantity} {fill.symbol} {price_text(fill.price)}",
                owner=owner,
            )
    for own in ours.fills.values():
        if own.fill_id not in there:
            yield Finding(
                check="fill_not_at_broker",
                subject=own.fill_id,
                symbol=own.symbol,
                text=f"{own.side} {own.quantity} {own.symbol} at {price_text(own.price)} "
                f"({own.order_id}) is in the journal, the broker does not know it",
                ours=f"{own.side} {own.quantity} {own.symbol} {price_text(own.price)}",
                owner="ours",
            )


def _same_fill(ours: Ours, fill: BrokerFill) -> Iterator[Finding]:
    own = ours.fills[fill.fill_id]
    said = (fill.symbol, fill.side.value, fill.quantity, fill.price)
    believed = (own.symbol, own.side, own.quantity, own.price)
    if said != believed:
        yield Finding(
            check="fill_differs",
            subject=fill.fill_id,
            symbol=fill.symbol,
            text=f"fill {fill.fill_id}: the broker says {fill_text(said)}, "
            f"the journal {fill_text(believed)}",
            broker=fill_text(said),
            ours=fill_text(believed),
        )


def adjustments(ours: Ours, theirs: Theirs) -> Iterator[Finding]:
    """Look for what changed at the broker without a trade and is not in the journal."""
    known = {one.adjustment_id for one in ours.adjustments}
    for one in theirs.adjustments:
        if one.adjustment_id not in known and one.ts >= ours.since:
            yield Finding(
                check="adjustment_not_in_journal",
                subject=one.adjustment_id,
                symbol=one.symbol,
                text=f"{one.kind} of {one.symbol}: {one.shares} shares, {dollars(one.cash)} "
                "is not in the journal",
                broker=f"{one.kind} {one.shares} {dollars(one.cash)}",
            )
