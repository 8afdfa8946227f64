"""Interactive Brokers' commissions for US stocks, fixed and tiered.

Both are computed on the order as it stands after each fill and charged as the difference to what
was charged before, so ten partial fills cost what one fill would. IBKR books fractions of a cent:
every component is rounded half up to a nano and no further.

Source: interactivebrokers.com, "Commissions: Stocks, ETFs and Warrants" and "Stock and ETF Fixed
vs. Tiered Pricing Comparison Examples".
"""

import datetime as dt
from bisect import bisect_right
from fractions import Fraction

from tradingd.costs.arithmetic import Rate
from tradingd.costs.memory import Charged, OrderMemory
from tradingd.costs.notes import Notes
from tradingd.costs.rates import BrokerTable, FixedRow, RegulatoryTable, TieredRow, row_on
from tradingd.costs.regulatory import Regulators
from tradingd.domain.money import SCALE, Nanos, nanos
from tradingd.domain.orders import Side
from tradingd.domain.ports import Fees


class IbkrFixed:
    """A rate per share with a minimum and a maximum per order; exchange fees are included."""

    def __init__(self, table: BrokerTable[FixedRow], regulatory: RegulatoryTable) -> None:
        self._table = table
        self._notes = Notes()
        self._regulators = Regulators(regulatory, self._notes)
        self._memory = OrderMemory()
        self._day: dt.date | None = None
        self._per_share: Nanos = 0
        self._bounds = _Bounds()

    @property
    def notes(self) -> tuple[str, ...]:
        """Unverified rates that fills were charged with so far."""
        return self._notes.texts()

    def charge(self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date) -> Fees:
        """Return the fees of the next fill of an order and remember it."""
        if day != self._day:
            self._look_up(day)
        value = quantity * price
        order = self._memory.of(order_id, day)
        broker = self._bounds.next(order, quantity * self._per_share, value)
        regulatory = self._regulators.charge(side, quantity, value, day)
        return Fees(broker=broker, regulatory=regulatory.total)

    def forget(self, order_id: str) -> None:
        """Drop the memory of a closed order."""
        self._memory.forget(order_id)

    def _look_up(self, day: dt.date) -> None:
        row = row_on(self._table.rows, day)
        self._per_share = nanos(row.per_share)
        self._bounds = _Bounds(nanos(row.minimum), Rate(Fraction(row.maximum_percent) / 100))
        self._notes.row("IBKR fixed", row)
        self._day = day


class IbkrTiered:
    """A marginal rate by the calendar month's shares, plus exchange, clearing and pass-through.

    Every fill is taken to remove liquidity at the access-fee cap (see the schedule's header).
    `Fees.exchange` holds exchange and clearing fees; the pass-through of NYSE and FINRA, which is
    a share of the commission, is part of `Fees.regulatory`.
    """

    def __init__(self, table: BrokerTable[TieredRow], regulatory: RegulatoryTable) -> None:
        self._table = table
        self._notes = Notes()
        self._regulators = Regulators(regulatory, self._notes)
        self._memory = OrderMemory()
        self._day: dt.date | None = None
        self._month = (0, 0)
        self._month_shares = 0
        self._tiers: tuple[tuple[int, Nanos], ...] = ()
        self._floors: tuple[int, ...] = ()
        self._bounds = _Bounds()
        self._clearing: Nanos = 0
        self._exchange: Nanos = 0
        self._exchange_part = Rate(Fraction(0))
        self._pass_through = (Rate(Fraction(0)), Rate(Fraction(0)))

    @property
    def notes(self) -> tuple[str, ...]:
        """Unverified rates and approximations that fills were charged with so far."""
        return self._notes.texts()

    def charge(self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date) -> Fees:
        """Return the fees of the next fill of an order and remember it."""
        if day != self._day:
            self._look_up(day)
        value = quantity * price
        order = self._memory.of(order_id, day)
        broker = self._bounds.next(order, self._marginal(quantity), value)
        self._month_shares += quantity
        exchange = quantity * self._exchange
        if price < SCALE:
            exchange = self._exchange_part.of(value)
        nyse, finra = self._pass_through
        regulatory = self._regulators.charge(side, quantity, value, day)
        return Fees(
            broker=broker,
            exchange=exchange + quantity * self._clearing,
            regulatory=regulatory.total + nyse.of(broker) + finra.of(broker),
        )

    def forget(self, order_id: str) -> None:
        """Drop the memory of a closed order."""
        self._memory.forget(order_id)

    def _marginal(self, quantity: int) -> Nanos:
        """Return the commission of the next shares of the month, each at its own tier's rate."""
        start, end = self._month_shares, self._month_shares + quantity
        tier = bisect_right(self._floors, start)
        if tier == len(self._floors) or end <= self._floors[tier]:
            return quantity * self._tiers[tier - 1][1]
        ceilings = [over for over, _ in self._tiers[1:]] + [end]
        total = 0
        for (floor, rate), ceiling in zip(self._tiers, ceilings, strict=True):
            total += max(0, min(end, ceiling) - max(start, floor)) * rate
        return total

    def _look_up(self, day: dt.date) -> None:
        row = row_on(self._table.rows, day)
        if (day.year, day.month) != self._month:
            self._month, self._month_shares = (day.year, day.month), 0
        self._tiers = tuple((over, nanos(rate)) for over, rate in row.tiers)
        self._floors = tuple(over for over, _ in self._tiers)
        self._bounds = _Bounds(nanos(row.minimum), Rate(Fraction(row.maximum_percent) / 100))
        self._clearing = nanos(row.clearing_per_share)
        self._exchange = nanos(row.exchange_per_share)
        self._exchange_part = Rate(Fraction(row.exchange_percent) / 100)
        self._pass_through = (Rate(row.nyse_of_commission), Rate(row.finra_of_commission))
        self._notes.row("IBKR tiered", row)
        self._notes.add("IBKR tiered: exchange fees are the access-fee cap on every fill")
        self._day = day


class _Bounds:
    """Minimum and maximum of an order; a maximum below the minimum wins."""

    __slots__ = ("_maximum", "_minimum")

    def __init__(self, minimum: Nanos = 0, maximum: Rate | None = None) -> None:
        self._minimum = minimum
        self._maximum = maximum or Rate(Fraction(1))

    def next(self, order: Charged, raw: Nanos, value: Nanos) -> Nanos:
        """Add a fill to its order and return what is still to be charged."""
        order.raw += raw
        order.value += value
        due = min(max(order.raw, self._minimum), self._maximum.of(order.value))
        charge = due - order.commission
        order.commission = due
        return charge
