"""Positions and cash: what fills and adjustments do to them."""

from tradingd.simbroker.amounts import ratio
from tradingd.simbroker.store import Store


class Terms:
    """What trading costs here; amounts in 1e-9 dollars.

    Parameters
    ----------
    per_share, minimum : int
        Commission per share and least commission of an order.
    """

    def __init__(self, per_share: int, minimum: int) -> None:
        self._per_share = per_share
        self._minimum = minimum

    def due(self, filled: int) -> int:
        """Return the commission of an order once this many of its shares are filled."""
        return max(self._minimum, self._per_share * filled) if filled else 0


class Account:
    """Signed positions with their cost, and cash as the sum of its movements.

    Parameters
    ----------
    store : Store
        Where every change is written, inside the caller's transaction.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.cash = 0
        self.positions: dict[str, tuple[int, int]] = {}
        self._movement = 0

    def load(self) -> None:
        """Read the account as it was left."""
        self._movement = self._store.last("cash")
        row = self._store.rows("SELECT COALESCE(SUM(amount), 0) FROM cash")[0]
        self.cash = int(str(row[0]))
        self.positions = {
            str(symbol): (int(str(quantity)), int(str(cost)))
            for symbol, quantity, cost in self._store.rows("SELECT * FROM positions")
        }

    def held(self, symbol: str) -> int:
        """Return the signed shares of a symbol."""
        return self.positions.get(symbol, (0, 0))[0]

    def move_cash(self, kind: str, reference: str, amount: int, ts: int) -> None:
        """Book a movement of cash."""
        self._movement += 1
        self.cash += amount
        self._store.add("cash", (self._movement, kind, reference, amount, ts))

    def trade(self, symbol: str, signed: int, price: int) -> None:
        """Change a position by an execution, at average cost."""
        quantity, cost = self.positions.get(symbol, (0, 0))
        if quantity * signed >= 0:
            self.set(symbol, quantity + signed, cost + signed * price)
        elif abs(signed) <= abs(quantity):
            sign = 1 if quantity > 0 else -1
            kept = sign * ratio(abs(cost), abs(quantity + signed), abs(quantity))
            self.set(symbol, quantity + signed, kept)
        else:
            self.set(symbol, quantity + signed, (quantity + signed) * price)

    def set(self, symbol: str, quantity: int, cost: int) -> None:
        """Write a position."""
        if quantity:
            self.positions[symbol] = (quantity, cost)
            self._store.replace("positions", [(symbol, quantity, cost)], 3)
        else:
            self.positions.pop(symbol, None)
            self._store.remove_position(symbol)

    def average(self, symbol: str) -> int:
        """Return the average price of a position, 0 when flat."""
        quantity, cost = self.positions.get(symbol, (0, 0))
        return ratio(abs(cost), 1, abs(quantity)) if quantity else 0

    def equity(self, last: dict[str, int]) -> int:
        """Return cash and positions at their last prices, at cost where none is known."""
        return self.cash + sum(
            quantity * last[symbol] if symbol in last else cost
            for symbol, (quantity, cost) in self.positions.items()
        )
