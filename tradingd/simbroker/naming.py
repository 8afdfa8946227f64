"""What the book calls things; a server with a naming of its own hands one in."""

from typing import Protocol

from tradingd.simbroker.orders import Order


class Naming(Protocol):
    """Gives names that never repeat, also not in another store."""

    def order(self, number: int) -> str:
        """Return the name of the order with a running number."""
        ...

    def fill(self, order: Order, number: int) -> str:
        """Return the name of a fill; the order counts it already."""
        ...

    def adjustment(self, kind: str, number: int, ts: int) -> str:
        """Return the name of a correction by hand."""
        ...

    def action(self, action_id: str, part: str, ts: int) -> str:
        """Return the name of the adjustment (part of it) that a corporate action makes."""
        ...


class StoreNaming:
    """Names that begin with the store's name.

    Parameters
    ----------
    prefix : str
        Name of the store.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def order(self, number: int) -> str:
        """Return PREFIX-O1, PREFIX-O2 and so on."""
        return f"{self._prefix}-O{number}"

    def fill(self, order: Order, number: int) -> str:
        """Return PREFIX-F1, PREFIX-F2 and so on."""
        return f"{self._prefix}-F{number}"

    def adjustment(self, kind: str, number: int, ts: int) -> str:
        """Return PREFIX-KIND-1 and so on."""
        return f"{self._prefix}-{kind}-{number}"

    def action(self, action_id: str, part: str, ts: int) -> str:
        """Return the action's own id, with the part behind a colon."""
        return f"{action_id}:{part}" if part else action_id
