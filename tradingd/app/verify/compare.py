"""Where the journal and the broker disagree: pure, one function a rule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tradingd.app.verify.averages import Held, held
from tradingd.app.verify.facts import OurOrder, Ours, Theirs
from tradingd.app.verify.report import Finding, PositionLine, Tolerances
from tradingd.domain.broker import BrokerFill, BrokerOrder, BrokerPosition
from tradingd.domain.money import CENT, Nanos, decimal, dollars, nanos
from tradingd.domain.orders import OrderType
from tradingd.orders import naming

STOPS: Final = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})

_OPEN: Final = frozenset({"INTENT", "UNKNOWN", "WORKING"})
_BPS: Final = 10_000


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
        *_quantities(lines, at_broker),
        *_fractions(theirs.positions),
        *_prices(lines, at_broker, allowed),
        *_cash(ours.cash, theirs.account.cash, nanos(allowed.cash)),
        *_foreign_orders(instance, foreign),
        *_listed_orders(ours, theirs.orders),
        *_missing_orders(ours, theirs.orders),
        *_fills(instance, ours, theirs.fills),
        *_adjustments(ours, theirs),
        *_protection(ours, theirs),
    )
    return Compared(
        findings=findings,
        positions=tuple(_lines(lines, at_broker, ours, theirs.orders)),
        foreign_orders=len(foreign),
    )


# -- positions and money ---------------------------------------------------------------------------


def _quantities(
    lines: Mapping[str, Held], broker: Mapping[str, BrokerPosition]
) -> Iterator[Finding]:
    for symbol in sorted(lines.keys() | broker.keys()):
        there = broker[symbol].quantity if symbol in broker else 0
        here = lines[symbol].quantity if symbol in lines else 0
        if there != here:
            yield Finding(
                check="position",
                subject=symbol,
                symbol=symbol,
                text=f"the broker holds {there} {symbol}, the journal {here}",
                broker=str(there),
                ours=str(here),
                gap=str(there - here),
            )


def _fractions(positions: Iterable[BrokerPosition]) -> Iterator[Finding]:
    for one in positions:
        if one.fraction:
            part = f"{decimal(one.fraction).normalize():f}"
            yield Finding(
                check="fraction",
                subject=one.symbol,
                symbol=one.symbol,
                text=f"the broker holds {part} of a share of {one.symbol}, not ours",
                broker=part,
            )


def _prices(
    lines: Mapping[str, Held], broker: Mapping[str, BrokerPosition], allowed: Tolerances
) -> Iterator[Finding]:
    for symbol in sorted(lines.keys() & broker.keys()):
        line, there = lines[symbol], broker[symbol]
        if line.quantity != there.quantity or there.fraction:
            continue
        average = _average(line, there)
        if there.average_price and _apart(average, there.average_price, allowed.price_bps):
            yield Finding(
                check="average_price",
                subject=symbol,
                symbol=symbol,
                text=f"{symbol}: the broker's average price is {_price(there.average_price)}, "
                f"the journal's {_price(line.weighted)}",
                broker=_price(there.average_price),
                ours=_price(line.weighted),
            )
            continue
        expected = _unrealised(line.quantity, average, there)
        if expected is None or there.unrealized is None or there.mark is None:
            continue
        value = abs(line.quantity) * there.mark
        if abs(there.unrealized - expected) > _room(value, allowed.unrealised_bps):
            yield Finding(
                check="unrealised",
                subject=symbol,
                symbol=symbol,
                text=f"{symbol}: the broker's unrealised profit is {dollars(there.unrealized)}, "
                f"the journal's at the broker's mark {dollars(expected)}",
                broker=dollars(there.unrealized),
                ours=dollars(expected),
            )


def _average(line: Held, there: BrokerPosition) -> Nanos:
    """Return our average by the rule that the broker seems to use."""
    return min(
        (line.weighted, line.oldest_first), key=lambda price: abs(price - there.average_price)
    )


def _apart(ours: Nanos, theirs: Nanos, bps: float) -> bool:
    return abs(ours - theirs) > _room(theirs, bps)


def _room(amount: Nanos, bps: float) -> Nanos:
    """Return so many basis points of an amount, one cent at least."""
    return max(CENT, int(abs(amount) * Decimal(str(bps)) / _BPS))


def _unrealised(quantity: int, average: Nanos, there: BrokerPosition) -> Nanos | None:
    """Return what our shares have gained by the broker's own mark."""
    return None if there.mark is None else quantity * (there.mark - average)


def _cash(ours: Nanos | None, theirs: Nanos, room: Nanos) -> Iterator[Finding]:
    if ours is None or abs(ours - theirs) <= room:
        return
    yield Finding(
        check="cash",
        subject="cash",
        text=f"the broker has {dollars(theirs)} in cash, the journal {dollars(ours)}",
        broker=dollars(theirs),
        ours=dollars(ours),
        gap=str(theirs - ours),
    )


def _lines(
    lines: Mapping[str, Held],
    broker: Mapping[str, BrokerPosition],
    ours: Ours,
    orders: Sequence[BrokerOrder],
) -> Iterator[PositionLine]:
    nothing = Held(0, 0, 0)
    for symbol in sorted(lines.keys() | broker.keys()):
        line = lines.get(symbol, nothing)
        there = broker.get(symbol, BrokerPosition(symbol=symbol, quantity=0))
        average = _average(line, there) if there.average_price else line.weighted
        gained = _unrealised(line.quantity, average, there)
        guard = ours.guards.get(symbol)
        yield PositionLine(
            symbol=symbol,
            broker=there.quantity,
            ours=line.quantity,
            broker_average=_price(there.average_price) if there.average_price else "",
            our_average=_price(average) if line.quantity else "",
            broker_unrealised="" if there.unrealized is None else dollars(there.unrealized),
            our_unrealised="" if gained is None else dollars(gained),
            stop="" if guard is None or guard.stop is None else _price(guard.stop),
            covered=_covered(symbol, there.quantity, ours, orders, exits=False),
        )


# -- orders and fills ------------------------------------------------------------------------------


def _foreign_orders(instance: str, orders: Iterable[BrokerOrder]) -> Iterator[Finding]:
    for order in orders:
        owner = _owner(instance, order.client_order_id)
        yield Finding(
            check="foreign_order",
            subject=order.broker_order_id,
            symbol=order.symbol,
            text=f"{_order_text(order)} works at the broker and is not in the journal"
            + (" (ours by its id)" if owner == "ours" else ""),
            broker=_order_text(order),
            owner=owner,
        )


def _listed_orders(ours: Ours, orders: Sequence[BrokerOrder]) -> Iterator[Finding]:
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
            yield _about(own, "order_terms", _terms(said, prices[0]), _terms(believed, prices[1]))
        if order.filled != own.filled:
            yield _about(own, "order_filled", str(order.filled), str(own.filled))


def _missing_orders(ours: Ours, orders: Sequence[BrokerOrder]) -> Iterator[Finding]:
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


def _fills(instance: str, ours: Ours, fills: Sequence[BrokerFill]) -> Iterator[Finding]:
    there = {fill.fill_id: fill for fill in fills}
    for fill in fills:
        if fill.fill_id in ours.fills:
            yield from _same_fill(ours, fill)
        elif fill.ts >= ours.since:
            known = fill.client_order_id in ours.orders
            owner = "ours" if known else _owner(instance, fill.client_order_id)
            yield Finding(
                check="fill_not_in_journal",
                subject=fill.fill_id,
                symbol=fill.symbol,
                text=f"{fill.side} {fill.quantity} {fill.symbol} at {_price(fill.price)} "
                f"({fill.client_order_id or fill.broker_order_id}) is not in the journal",
                broker=f"{fill.side} {fill.quantity} {fill.symbol} {_price(fill.price)}",
                owner=owner,
            )
    for own in ours.fills.values():
        if own.fill_id not in there:
            yield Finding(
                check="fill_not_at_broker",
                subject=own.fill_id,
                symbol=own.symbol,
                text=f"{own.side} {own.quantity} {own.symbol} at {_price(own.price)} "
                f"({own.order_id}) is in the journal, the broker does not know it",
                ours=f"{own.side} {own.quantity} {own.symbol} {_price(own.price)}",
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
            text=f"fill {fill.fill_id}: the broker says {_fill_text(said)}, "
            f"the journal {_fill_text(believed)}",
            broker=_fill_text(said),
            ours=_fill_text(believed),
        )


def _adjustments(ours: Ours, theirs: Theirs) -> Iterator[Finding]:
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


# -- protection ------------------------------------------------------------------------------------


def _protection(ours: Ours, theirs: Theirs) -> Iterator[Finding]:
    """Every position whose guard names a stop needs one for all its shares, at that price."""
    for position in theirs.positions:
        guard = ours.guards.get(position.symbol)
        wanted = guard.stop if guard is not None else _promised(ours, position)
        if wanted is None:
            continue
        shares = abs(position.quantity)
        covered = _covered(position.symbol, position.quantity, ours, theirs.orders, exits=True)
        if covered < shares:
            yield Finding(
                check="unprotected",
                subject=position.symbol,
                symbol=position.symbol,
                text=f"{position.symbol}: {shares - covered} of {shares} shares have no stop; "
                f"one at {_price(wanted)} must work",
                broker=f"{covered} covered",
                ours=f"stop {_price(wanted)}",
                gap=str(shares - covered),
            )
        if guard is not None:
            yield from _stop_prices(position, wanted, ours, theirs.orders)


def _stop_prices(
    position: BrokerPosition, wanted: Nanos, ours: Ours, orders: Iterable[BrokerOrder]
) -> Iterator[Finding]:
    for order in orders:
        if _guards(order, position.symbol, position.quantity) and order.client_order_id in (
            ours.orders
        ):
            if order.type is OrderType.TRAILING_STOP or order.stop == wanted:
                continue
            yield Finding(
                check="stop_price",
                subject=order.client_order_id,
                symbol=position.symbol,
                text=f"{position.symbol}: the stop works at {_price(order.stop or 0)}, "
                f"its guard says {_price(wanted)}",
                broker=_price(order.stop or 0),
                ours=_price(wanted),
                owner="ours",
            )


def _promised(ours: Ours, position: BrokerPosition) -> Nanos | None:
    """Return the stop that the last filled entry asked for, where no guard tells."""
    side = "BUY" if position.quantity > 0 else "SELL"
    entries = [
        one
        for one in ours.orders.values()
        if (one.symbol, one.side, one.purpose) == (position.symbol, side, "ENTRY") and one.filled
    ]
    return entries[-1].protective_stop if entries else None


def _covered(
    symbol: str, quantity: int, ours: Ours, orders: Iterable[BrokerOrder], *, exits: bool
) -> int:
    """Return the shares that a working stop (and, with `exits`, a market exit) will close."""
    closing = [order for order in orders if _closes(order, symbol, quantity)]
    return sum(
        order.quantity - order.filled
        for order in closing
        if order.type in STOPS or (exits and order.type is OrderType.MARKET)
    )


def _guards(order: BrokerOrder, symbol: str, quantity: int) -> bool:
    return _closes(order, symbol, quantity) and order.type in STOPS


def _closes(order: BrokerOrder, symbol: str, quantity: int) -> bool:
    return order.symbol == symbol and order.side.sign * quantity < 0


# -- words -----------------------------------------------------------------------------------------


def _owner(instance: str, client_order_id: str) -> str:
    return "ours" if naming.ours(instance, client_order_id) else "manual"


def _order_text(order: BrokerOrder) -> str:
    prices = "".join(f" {_price(price)}" for price in (order.limit, order.stop) if price)
    return (
        f"{order.side} {order.quantity - order.filled} {order.symbol} {order.type}{prices}"
        f" ({order.client_order_id or order.broker_order_id})"
    )


def _terms(what: tuple[str, str, str, int], prices: tuple[Nanos | None, Nanos | None]) -> str:
    symbol, side, kind, quantity = what
    texts = [_price(price) for price in prices if price is not None]
    return " ".join((side, str(quantity), symbol, kind, *texts))


def _fill_text(what: tuple[str, str, int, Nanos]) -> str:
    symbol, side, quantity, price = what
    return f"{side} {quantity} {symbol} at {_price(price)}"


def _price(value: Nanos) -> str:
    """Return a price exactly, with cents at least."""
    exact = decimal(value)
    short = exact.quantize(Decimal("0.01"))
    return f"{short}" if short == exact else f"{exact.normalize():f}"
