"""Average prices of what is held, from executions alone; two ways, since brokers differ.

Alpaca averages within the day and takes the oldest lots first over days, so a position that was
enlarged and reduced may have either price; source: docs.alpaca.markets, "Position Average Entry
Price Calculation".
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec

from tradingd.app.verify.facts import OurAdjustment, OurFill
from tradingd.domain.money import Nanos


class Holding:
    """Shares of one symbol; prices in Nanos."""

    def __init__(self) -> None:
        self.quantity = Fraction(0)
        self._cost = Fraction(0)
        self._lots: deque[tuple[Fraction, Fraction]] = deque()

    def trade(self, shares: int, price: Nanos) -> None:
        """Book signed shares; what goes against the position closes it first."""
        left = Fraction(shares)
        if self.quantity * left < 0:
            closing = min(abs(left), abs(self.quantity)) * (1 if left > 0 else -1)
            # Rounded, or the fraction would grow with every trade of a position that never ends.
            self._cost = Fraction(round(self._cost * (1 + closing / self.quantity)))
            self._take(abs(closing))
            self.quantity += closing
            left -= closing
        if left:
            self.quantity += left
            self._cost += left * price
            self._lots.append((left, Fraction(price)))

    def adjust(self, shares: int, numerator: int, denominator: int) -> None:
        """Book shares that came or went without a price: a split keeps what was paid."""
        ratio = Fraction(numerator, denominator)
        before, self.quantity = self.quantity, self.quantity + shares
        if not self.quantity:
            self._cost = Fraction(0)
            self._lots.clear()
        elif ratio != 1:
            self._lots = deque((lot * ratio, price / ratio) for lot, price in self._lots)
            self._cost = self._cost if before else Fraction(0)

    def weighted(self) -> Nanos:
        """Return the average over everything held."""
        return round(self._cost / self.quantity) if self.quantity else 0

    def oldest_first(self) -> Nanos:
        """Return the average of the lots that are left when the oldest went first."""
        shares = sum((lot for lot, _ in self._lots), Fraction(0))
        paid = sum((lot * price for lot, price in self._lots), Fraction(0))
        return round(paid / shares) if shares else 0

    def _take(self, shares: Fraction) -> None:
        while shares and self._lots:
            lot, price = self._lots.popleft()
            taken = min(abs(lot), shares)
            shares -= taken
            if abs(lot) > taken:
                rest = lot - taken if lot > 0 else lot + taken
                self._lots.appendleft((rest, price))


class Held(msgspec.Struct, frozen=True):
    """What the journal's executions add up to for one symbol."""

    quantity: int
    weighted: Nanos
    oldest_first: Nanos


def held(fills: Iterable[OurFill], adjustments: Iterable[OurAdjustment]) -> Mapping[str, Held]:
    """Return what executions and adjustments add up to, in the order of their times; no flat ones.

    At one moment an adjustment comes first, as it does before a session.
    """
    happened: list[tuple[int, int, OurFill | OurAdjustment]] = [
        *((one.ts, 0, one) for one in adjustments),
        *((one.ts, 1, one) for one in fills),
    ]
    holdings: dict[str, Holding] = defaultdict(Holding)
    for _, _, one in sorted(happened, key=lambda item: item[:2]):
        if isinstance(one, OurAdjustment):
            holdings[one.symbol].adjust(one.shares, one.numerator, one.denominator)
        else:
            sign = 1 if one.side == "BUY" else -1
            holdings[one.symbol].trade(sign * one.quantity, one.price)
    return {
        symbol: Held(int(line.quantity), line.weighted(), line.oldest_first())
        for symbol, line in sorted(holdings.items())
        if line.quantity
    }
