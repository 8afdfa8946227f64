"""Rules on what is held: shares, average prices, unrealised profit and cash; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from tradingd.app.verify.averages import Held
from tradingd.app.verify.facts import Ours
from tradingd.app.verify.protection import covered_shares
from tradingd.app.verify.report import Finding, PositionLine, Tolerances
from tradingd.domain.broker_reports import BrokerOrder, BrokerPosition
from tradingd.domain.money import CENT, Nanos, decimal, dollars, price_text

_BPS: Final = 10_000


def quantities(
    lines: Mapping[str, Held], broker: Mapping[str, BrokerPosition]
) -> Iterator[Finding]:
    """Shares must be equal."""
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


def fractions(positions: Iterable[BrokerPosition]) -> Iterator[Finding]:
    """Parts of a share are nobody's here; they are told."""
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


def prices(
    lines: Mapping[str, Held], broker: Mapping[str, BrokerPosition], allowed: Tolerances
) -> Iterator[Finding]:
    """Average price and unrealised profit, where the shares are equal."""
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
                text=f"{symbol}: the broker's average price is {price_text(there.average_price)}, "
                f"the journal's {price_text(line.weighted)}",
                broker=price_text(there.average_price),
                ours=price_text(line.weighted),
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


def cash(ours: Nanos | None, theirs: Nanos, room: Nanos) -> Iterator[Finding]:
    """Cash must be equal, give or take `room`."""
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


def position_lines(
    lines: Mapping[str, Held],
    broker: Mapping[str, BrokerPosition],
    ours: Ours,
    orders: Sequence[BrokerOrder],
) -> Iterator[PositionLine]:
    """Return both sides of every position, differing or not."""
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
            broker_average=price_text(there.average_price) if there.average_price else "",
            our_average=price_text(average) if line.quantity else "",
            broker_unrealised="" if there.unrealized is None else dollars(there.unrealized),
            our_unrealised="" if gained is None else dollars(gained),
            stop="" if guard is None or guard.stop is None else price_text(guard.stop),
            covered=covered_shares(symbol, there.quantity, orders, exits=False),
        )
