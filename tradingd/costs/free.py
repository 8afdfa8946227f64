"""The models that charge nothing."""

import datetime as dt

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.domain.ports import Fees

_NOTHING = Fees()


class NoCommission:
    """Schedule `none`."""

    notes: tuple[str, ...] = ()

    def charge(self, order_id: str, side: Side, quantity: int, price: Nanos, day: dt.date) -> Fees:
        """Return no fees."""
        return _NOTHING

    def forget(self, order_id: str) -> None:
        """Nothing is remembered."""
