"""What the book knows of one symbol: the holding, its working entries and the last mark."""

import msgspec

from tradingd.domain.money import Nanos
from tradingd.gate.trip import Trip, divided


class Position(msgspec.Struct, kw_only=True):
    """One symbol's line in the book. Mutable on purpose: it changes with every bar.

    The exact fact is `cost`, the signed amount paid for the open quantity (negative for a short:
    the proceeds); the average price is derived from it, so nothing is lost to rounding.

    `buying`/`selling` are shares of working orders that may enlarge the position, with their
    value and their risk to the stop; `exiting` are shares of working market exits.
    """

    symbol: str
    quantity: int = 0
    cost: Nanos = 0
    mark: Nanos = 0
    mark_ts: int = -1
    stop: Nanos | None = None
    trip: Trip | None = None
    increased_today: bool = False
    counted_order: str = ""
    buying: int = 0
    buying_value: Nanos = 0
    buying_risk: Nanos = 0
    selling: int = 0
    selling_value: Nanos = 0
    selling_risk: Nanos = 0
    exiting: int = 0
    # What this line last added to the book's totals; kept to subtract it again.
    risk: Nanos = 0
    pending_long: Nanos = 0
    pending_short: Nanos = 0
    occupied: bool = False

    @property
    def average_price(self) -> Nanos:
        """Average entry price of the open quantity, rounded half up to a nano; 0 when flat."""
        return divided(abs(self.cost), abs(self.quantity))

    @property
    def value(self) -> Nanos:
        """Market value at the last mark, negative for a short."""
        return self.quantity * self.mark

    def stop_risk(self) -> Nanos:
        """Loss from the average entry price to the stop, never negative.

        Without a stop the whole cost is at risk: the most a long can lose (a short can lose more;
        that is what `require_stop` is for).
        """
        return self.risk_to(self.stop)

    def risk_to(self, stop: Nanos | None) -> Nanos:
        """Return the same loss for a stop that stands elsewhere."""
        if stop is None:
            return abs(self.cost)
        return max(0, self.cost - stop * self.quantity)

    def extra_buys(self) -> int:
        """Shares of the working buys that would enlarge or open a long, the rest covers."""
        return max(0, self.buying - max(0, -self.quantity - self.exiting))

    def extra_sells(self) -> int:
        """Shares of the working sales that would enlarge or open a short."""
        return max(0, self.selling - max(0, self.quantity - self.exiting))

    def uncommitted(self) -> int:
        """Shares that working market exits have not claimed yet."""
        return max(0, abs(self.quantity) - self.exiting)


def share(amount: Nanos, part: int, whole: int) -> Nanos:
    """Return `amount` x `part` / `whole`, rounded up so that exposure is never understated."""
    if part == whole:
        return amount
    return -(-amount * part // whole)
