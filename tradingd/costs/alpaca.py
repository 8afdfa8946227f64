"""Alpaca: no commission; regulatory fees, each rounded up to the cent over the day.

Alpaca accrues each kind of fee through the day and rounds its total up to the next cent at the
end of it. Charged fill by fill, that is the growth of the rounded-up total, so the day's sum is
exact and a day costs at most one extra cent per kind.

Source: docs.alpaca.markets/docs/regulatory-fees.
"""

import datetime as dt

from tradingd.costs.arithmetic import cents_up
from tradingd.costs.notes import Notes
from tradingd.costs.rates import RegulatoryTable
from tradingd.costs.regulatory import Regulators
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.domain.ports import Fees


class Alpaca:
    """Regulatory fees only."""

    def __init__(self, regulatory: RegulatoryTable) -> None:
        self._notes = Notes()
        self._regulators = Regulators(regulatory, self._notes)
        self._day: dt.date | None = None
        self._accrued = [0, 0, 0]

    @property
    def notes(self) -> tuple[str, ...]:
        """Unverified rates that fills were charged with so far."""
        return self._notes.texts()

    def charge(self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date) -> Fees:
        """Return the fees of the next fill and remember the day's totals."""
        if day != self._day:
            self._day, self._accrued = day, [0, 0, 0]
        fees = self._regulators.charge(side, quantity, quantity * price, day)
        amounts = (fees.section_31, fees.taf, fees.cat)
        return Fees(regulatory=sum(self._accrue(kind, fee) for kind, fee in enumerate(amounts)))

    def forget(self, order_id: str) -> None:
        """Nothing is remembered per order."""

    def _accrue(self, kind: int, fee: Nanos) -> Nanos:
        before = self._accrued[kind]
        self._accrued[kind] = before + fee
        return cents_up(before + fee) - cents_up(before)
