"""Where the journal and the broker disagree: every rule, over both sides; pure."""

import msgspec

from tradingd.app.verify import executions, holdings, protection, working_orders
from tradingd.app.verify.averages import held
from tradingd.app.verify.facts import Ours, Theirs
from tradingd.app.verify.report import Finding, PositionLine, Tolerances
from tradingd.domain.money import nanos


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Every disagreement, and what was compared."""

    findings: tuple[Finding, ...]
    positions: tuple[PositionLine, ...]
    foreign_orders: int


def compare(instance: str, ours: Ours, theirs: Theirs, allowed: Tolerances) -> Compared:
    """Compare both sides, everything with everything.

    Quantities, orders and fills must be equal; cash, average prices and unrealised profit within
    what `allowed` says.
    """
    lines = held(ours.fills.values(), ours.adjustments)
    at_broker = {one.symbol: one for one in theirs.positions if one.quantity}
    foreign = [one for one in theirs.orders if one.client_order_id not in ours.orders]
    findings = (
        *holdings.quantities(lines, at_broker),
        *holdings.fractions(theirs.positions),
        *holdings.prices(lines, at_broker, allowed),
        *holdings.cash(ours.cash, theirs.account.cash, nanos(allowed.cash)),
        *working_orders.foreign_orders(instance, foreign),
        *working_orders.listed_orders(ours, theirs.orders),
        *working_orders.missing_orders(ours, theirs.orders),
        *executions.executions(instance, ours, theirs.fills),
        *executions.adjustments(ours, theirs),
        *protection.protection(ours, theirs),
    )
    return Compared(
        findings=findings,
        positions=tuple(holdings.position_lines(lines, at_broker, ours, theirs.orders)),
        foreign_orders=len(foreign),
    )
