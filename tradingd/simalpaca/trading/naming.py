"""What the book calls things so that its ids are those Alpaca's clients see."""

import uuid

from tradingd.simalpaca.stamps import SECOND, stamp
from tradingd.simalpaca.trading.ledger import Ledger
from tradingd.simalpaca.trading.rows import SPACE
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.orders import Order


class AlpacaNaming:
    """UUIDs for orders; fills by order and cumulative quantity; adjustments as activities.

    Parameters
    ----------
    desk : Desk
        The book.
    ledger : Ledger
        Which knows the order that stands for one of the book's now.
    """

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        self._desk = desk
        self._ledger = ledger

    def order(self, number: int) -> str:
        """Return the UUID of an order."""
        return str(uuid.uuid5(SPACE, f"{self._desk.store_id}:order:{number}"))

    def fill(self, order: Order, number: int) -> str:
        """Return ORDER:CUMULATIVE-QUANTITY, which stream and activities both let derive."""
        row = self._ledger.live(order.broker_order_id)
        assert row is not None
        return f"{row.id}:{order.filled - row.base_filled}"

    def adjustment(self, kind: str, number: int, ts: int) -> str:
        """Return the id of the activity that a correction by hand is."""
        return activity_id(ts, f"{self._desk.store_id}:{kind}:{number}")

    def action(self, action_id: str, part: str, ts: int) -> str:
        """Return the id of the activity that a corporate action is."""
        return activity_id(ts, f"{self._desk.store_id}:{action_id}:{part}")


def activity_id(ts: int, name: str) -> str:
    """Return TIME::UUID; the time to the millisecond, so that ids sort by it."""
    digits = "".join(character for character in stamp(ts - ts % SECOND) if character.isdigit())
    return f"{digits}{ts % SECOND // 1_000_000:03d}::{uuid.uuid5(SPACE, name)}"
