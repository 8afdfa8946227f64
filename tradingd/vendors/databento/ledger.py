"""What may be spent: an amount is entered before the request that costs it leaves."""

import threading
from decimal import Decimal


class OverLimit(Exception):
    """An amount does not fit into what is left.

    Parameters
    ----------
    amount, left : Decimal
        USD that are wanted, and that may still be spent.
    """

    def __init__(self, amount: Decimal, left: Decimal) -> None:
        super().__init__(f"{dollars(amount)} wanted, {dollars(left)} left")
        self.amount = amount
        self.left = left


class Ledger:
    """Spending against a limit, by the vendor's estimates; for several threads.

    Parameters
    ----------
    limit : Decimal
        USD.
    """

    def __init__(self, limit: Decimal) -> None:
        self._limit = limit
        self._spent = Decimal(0)
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        """USD that were charged, or may have been."""
        return self._spent

    @property
    def left(self) -> Decimal:
        """USD that may still be spent."""
        return self._limit - self._spent

    def spend(self, amount: Decimal) -> None:
        """Enter an amount, before the request that costs it.

        Raises
        ------
        OverLimit
            Nothing is entered.
        """
        with self._lock:
            if self._spent + amount > self._limit:
                raise OverLimit(amount, self.left)
            self._spent += amount

    def refund(self, amount: Decimal) -> None:
        """Take an amount back that was certainly not charged."""
        with self._lock:
            self._spent -= amount


def dollars(amount: Decimal) -> str:
    """Return an amount for people, such as ``0.25 USD``."""
    return f"{amount.normalize():f} USD"
