"""PATCH and DELETE of orders: replacement by another order, and cancels."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Final

from tradingd.simalpaca.trading import rows, rules
from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.errors import bad_field, invalid, not_found
from tradingd.simalpaca.trading.holds import check_shares
from tradingd.simalpaca.trading.power import check_power
from tradingd.simalpaca.trading.rows import Row
from tradingd.simalpaca.trading.settings import Settings
from tradingd.simalpaca.trading.wishes import Change
from tradingd.simbroker.amounts import ONE, optional_text
from tradingd.simbroker.orders import Order

_KEPT: Final = ("", "day", "gtc")


class Changing:
    """Replaces and cancels orders.

    Parameters
    ----------
    book : Book
        Whose orders they are.
    settings : Settings
        What the account allows.
    """

    def __init__(self, book: Book, settings: Settings) -> None:
        self._book = book
        self._settings = settings

    def replace(self, order_id: str, change: Change) -> dict[str, object]:
        """Put another order in the place of one, and return it as it is at its acceptance.

        The new order counts its own fills from zero. Its quantity is what the request says, else
        that of the old order, whether or not some of it is filled: that is how Alpaca does it.

        Raises
        ------
        ApiError
            When it is refused; the old order works on.
        """
        row, order = self._working(order_id, "replace")
        self._check_state(row)
        self._check_change(row, change)
        qty = row.qty if change.qty is None else change.qty // ONE
        self._check_account(row, order, change, qty)
        name = change.client_order_id or str(uuid.uuid4())
        return self._book.change(lambda: self._put(order, change, qty, name))

    def _working(self, order_id: str, verb: str) -> tuple[Row, Order]:
        """Return an order to which something may still happen, and the book's order."""
        row = self._book.ledger.row(order_id)
        if row is None:
            raise not_found(f"order not found for {order_id}")
        if not row.open:
            if verb == "cancel":
                raise invalid(f'order is already in "{row.status}" state')
            raise invalid("order is not open")
        order = self._book.desk.find(row.book_id)
        assert order is not None
        return row, order

    def _check_state(self, row: Row) -> None:
        if row.status in (rows.ACCEPTED, *rows.PENDING):
            raise invalid("unable to replace order, order isn't sent to exchange yet")

    def _check_change(self, row: Row, change: Change) -> None:
        """Refuse a change that does not suit the order."""
        if change.empty:
            raise bad_field("at least one of qty, time_in_force, limit_price, stop_price, trail")
        if change.client_order_id and self._book.ledger.named(change.client_order_id) is not None:
            raise bad_field("client_order_id must be unique")
        if change.qty is not None and change.qty % ONE:
            raise bad_field("qty must be integer")
        if change.qty is not None and row.group_id and change.qty // ONE != row.qty:
            raise invalid("qty of orders with legs cannot be replaced")
        if change.time_in_force not in (*_KEPT, row.time_in_force):
            raise invalid(f"invalid time_in_force {change.time_in_force}")
        if change.limit is not None and row.type not in ("limit", "stop_limit"):
            raise bad_field(f"{row.type} orders must not have limit_price")
        if change.stop is not None and row.type not in ("stop", "stop_limit"):
            raise bad_field(f"{row.type} orders must not have stop_price")
        if change.trail is not None and row.type != "trailing_stop":
            raise bad_field(f"{row.type} orders must not have trail")
        rules.check_step("limit_price", change.limit)
        rules.check_step("stop_price", change.stop)

    def _check_account(self, row: Row, order: Order, change: Change, qty: int) -> None:
        if row.status == rows.HELD:
            return
        desk = self._book.desk
        check_shares(desk, row.symbol, order.side, qty, order)
        limit = change.limit or change.stop or order.limit_price or order.stop_price
        check_power(desk, self._settings.multiplier, row.symbol, order.side, qty, limit, order)

    def _put(self, order: Order, change: Change, qty: int, name: str) -> dict[str, object]:
        book = self._book
        if change.time_in_force:
            order.time_in_force = change.time_in_force.upper()
        made = book.ledger.supersede(order, name)
        message: dict[str, object] = {
            "broker_order_id": order.broker_order_id,
            "quantity": order.filled + qty,
            "limit": optional_text(change.limit),
            "stop": optional_text(change.stop),
        }
        if change.trail is not None:
            percent = order.trail_rate is not None
            rate = optional_text(change.trail // 100)
            message |= {"trail_rate": rate} if percent else {"trail": optional_text(change.trail)}
        reply = book.trading.replace(message, injected="")
        if reply["outcome"] != "accepted":
            raise invalid(str(reply["reason"]))
        return book.ledger.accepted(made.id)

    def cancel(self, order_id: str) -> None:
        """Cancel an order, and with it what is tied to it.

        Raises
        ------
        ApiError
            When there is none, or it is over.
        """
        row, order = self._working(order_id, "cancel")
        if row.status in rows.PENDING:
            raise invalid(f'order is already in "{row.status}" state')
        self._book.change(lambda: self._end(order))

    def _end(self, order: Order) -> None:
        self._book.trading.cancel({"broker_order_id": order.broker_order_id}, injected="")

    def cancel_all(self) -> list[dict[str, object]]:
        """Cancel every open order and say of each what came of it."""
        listed = self._book.ledger.rows(_OPEN)
        self._book.change(self._book.trading.cancel_all)
        return [{"id": row.id, "status": 200} for row in listed]

    def cancel_later(self, order_id: str) -> Callable[[], None]:
        """Mark an order as waiting to be canceled; the call that is returned cancels it."""
        row, order = self._working(order_id, "cancel")
        if row.status in rows.PENDING:
            raise invalid(f'order is already in "{row.status}" state')
        self._book.change(lambda: self._book.ledger.pend(row, rows.PENDING_CANCEL))

        def cancel() -> None:
            if order.open:  # it may have been filled meanwhile
                self._book.change(lambda: self._end(order))

        return cancel

    def finish_pending(self) -> None:
        """Cancel what waited for it when the process ended."""
        for row in self._book.ledger.rows("status = ?", (rows.PENDING_CANCEL,)):
            order = self._book.desk.find(row.book_id)
            if order is not None:
                self._book.change(partial(self._end, order))


_OPEN: Final = "status IN ({})".format(",".join(f"'{status}'" for status in rows.OPEN))
