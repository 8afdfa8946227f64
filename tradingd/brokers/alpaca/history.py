"""What has happened in the account: executions and adjustments, with the names of our orders."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter

from tradingd.brokers.alpaca import parsing
from tradingd.brokers.alpaca.adjustments import adjustments
from tradingd.brokers.alpaca.finder import Finder
from tradingd.brokers.alpaca.parsing import Execution, Unreadable
from tradingd.brokers.alpaca.reader import Reader
from tradingd.brokers.alpaca.registry import Registry
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerFill


class History:
    """Asks for executions and adjustments.

    Parameters
    ----------
    registry, reader, finder : Registry, Reader, Finder
        Parts of the same broker.
    """

    def __init__(self, registry: Registry, reader: Reader, finder: Finder) -> None:
        self._registry = registry
        self._reader = reader
        self._finder = finder

    async def fills(self, since_ns: int) -> list[BrokerFill]:
        """Return executions at or after a time, oldest first; those of equal times as listed.

        Raises
        ------
        BrokerUnavailable
            When there is no answer, or one that cannot be read.
        """
        bodies = await self._reader.activities("FILL", since_ns)
        try:
            found = parsing.executions(bodies)
        except Unreadable as error:
            raise BrokerUnavailable(f"executions: {error}") from error
        numbered = await self._numbered([one for one in found if one.ts >= since_ns])
        orders = list(dict.fromkeys(one.order_id for one, _ in numbered))
        absent = await self._finder.fetch(set(orders))
        await self._finder.identify([one for one in orders if one not in absent])
        ordered = sorted(numbered, key=lambda item: item[0].ts)
        return [fill(self._registry, one, cumulative) for one, cumulative in ordered]

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return adjustments that Alpaca has booked since a time, oldest first.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        category = "non_trade_activity"
        return adjustments(await self._reader.activities("", since_ns, category=category))

    async def _numbered(self, found: Sequence[Execution]) -> list[tuple[Execution, Decimal]]:
        """Return executions with what their orders had filled after each."""
        lacking = {one.order_id for one in found if one.cumulative is None}
        sums: dict[str, Decimal] = {}
        for order_id in sorted(lacking):
            rows = await self._reader.activities("FILL", 0, order_id=order_id)
            sums.update(_summed(parsing.executions(rows)))
        return [
            (one, sums[one.activity] if one.cumulative is None else one.cumulative) for one in found
        ]


def fill(registry: Registry, one: Execution, cumulative: Decimal) -> BrokerFill:
    """Return an execution in the domain; of one in parts of a share, the whole ones are told.

    The difference of the cumulated quantities is taken, so that parts add up to whole shares.
    """
    whole = int(cumulative) - int(cumulative - one.quantity)
    return BrokerFill(
        fill_id=one.fill_id(cumulative),
        client_order_id=registry.name(one.order_id) or "",
        broker_order_id=one.order_id,
        symbol=one.symbol,
        side=one.side,
        quantity=whole,
        price=one.price,
        commission=0,
        ts=one.ts,
    )


def _summed(found: Iterable[Execution]) -> dict[str, Decimal]:
    """Return what one order had filled after each of its executions, by activity."""
    total, sums = Decimal(0), {}
    for one in sorted(found, key=attrgetter("ts")):
        total += one.quantity
        sums[one.activity] = total
    return sums
