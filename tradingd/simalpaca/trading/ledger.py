"""Keeps Alpaca's orders beside the book's: follows every change, and tells of it."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from tradingd.simalpaca.stamps import NEW_YORK, at, new_york_date, stamp
from tradingd.simalpaca.trading import rows
from tradingd.simalpaca.trading.rows import COLUMNS, SPACE, Row, from_values, view
from tradingd.simbroker import orders as book
from tradingd.simbroker.amounts import text
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.orders import Order

_TYPES: Final = {
    book.MARKET: "market",
    book.LIMIT: "limit",
    book.STOP_MARKET: "stop",
    book.STOP_LIMIT: "stop_limit",
    book.TRAILING_STOP: "trailing_stop",
}
_ROLES: Final = {book.ENTRY: "entry", book.TARGET: "take_profit", book.STOP_LOSS: "stop_loss"}
_ENDS: Final = {
    book.CANCELED: rows.CANCELED,
    book.EXPIRED: rows.EXPIRED,
    book.REJECTED: rows.REJECTED,
}
_SILENT: Final = (rows.FILLED, rows.PARTIALLY_FILLED, rows.HELD)
"""Told with the fill, or not at all."""

_GTC_DAYS: Final = 90
_PERCENT: Final = 100


class Ledger:
    """Alpaca's orders, in the same transactions as the book's.

    Parameters
    ----------
    desk : Desk
        The book, whose watcher and naming this becomes.
    now : callable
        Data time of the market, UTC ns.
    """

    def __init__(self, desk: Desk, now: Callable[[], int]) -> None:
        self._desk = desk
        self._now = now
        self._live: dict[str, Row] = {}
        self._updates: list[str] = []
        self._expected: Mapping[str, Mapping[str, str]] = {}
        self._number = 0
        self._submitted = 0

    def load(self) -> None:
        """Read the open orders as they were left; forget what was not committed."""
        store = self._desk.store
        self._updates = []
        open_now = ",".join(f"'{status}'" for status in rows.OPEN)
        found = self.rows(f"status IN ({open_now})")
        self._live = {row.book_id: row for row in found}
        newest = store.rows("SELECT MAX(number), MAX(submitted) FROM alpaca_orders")[0]
        self._number, self._submitted = int(str(newest[0] or 0)), int(str(newest[1] or 0))

    def rows(self, where: str, values: tuple[object, ...] = ()) -> list[Row]:
        """Return orders, oldest first unless the clause says otherwise."""
        order = "" if "ORDER BY" in where else " ORDER BY number"
        query = f"SELECT {','.join(COLUMNS)} FROM alpaca_orders WHERE {where}{order}"
        return [from_values(values) for values in self._desk.store.rows(query, values)]

    def row(self, order_id: str) -> Row | None:
        """Return an order by its id."""
        found = self.rows("id = ?", (order_id,))
        return found[0] if found else None

    def named(self, client_order_id: str) -> Row | None:
        """Return an order by the id that its client gave it."""
        found = self.rows("client_order_id = ?", (client_order_id,))
        return found[0] if found else None

    def legs(self, row: Row) -> list[Row]:
        """Return the latest orders that hang on a parent: all of its group but itself."""
        if not row.group_id or not is_parent(row):
            return []
        others = self.rows("group_id = ? AND status != 'replaced'", (row.group_id,))
        return [other for other in others if not is_parent(other)]

    def live(self, book_id: str) -> Row | None:
        """Return the order that stands for one of the book's now."""
        return self._live.get(book_id)

    def accepted_as(self, client_order_id: str) -> dict[str, object]:
        """Return an order by its client's id, as it was when it was accepted."""
        row = self.named(client_order_id)
        assert row is not None
        return self.accepted(row.id)

    def accepted(self, order_id: str) -> dict[str, object]:
        """Return an order, with its legs, as it was when it was accepted: before it traded."""
        row = self.row(order_id)
        assert row is not None
        return view(_untraded(row), [_untraded(leg) for leg in self.legs(row)])

    def take_updates(self) -> list[str]:
        """Return the trade updates since the last call."""
        updates, self._updates = self._updates, []
        return updates

    def expect(self, facts: Mapping[str, Mapping[str, str]]) -> None:
        """Say of orders about to be made, by client id, what the book does not know."""
        self._expected = facts

    def changed(self, order: Order) -> None:
        """Follow a change of the book."""
        row = self._live.get(order.broker_order_id)
        if row is None:
            self._begin(order)
            return
        before = row.status
        self._copy(row, order)
        self._save(row)
        if not row.open:
            self._live.pop(row.book_id)
        if row.status != before and row.status not in _SILENT:
            self._tell(row.status, row)

    def filled(self, order: Order, fill_id: str, quantity: int, price: int) -> None:
        """Follow a fill of the book."""
        row = self._live[order.broker_order_id]
        self._copy(row, order)
        event = "fill" if row.status == rows.FILLED else "partial_fill"
        self._tell(
            event,
            row,
            execution_id=str(uuid.uuid5(SPACE, fill_id)),
            price=text(price),
            qty=str(quantity),
            position_qty=str(self._desk.account.held(order.symbol)),
        )

    def route(self) -> None:
        """Send to the market what waited for its hours."""
        for row in list(self._live.values()):
            if row.status == rows.ACCEPTED:
                row.status = rows.NEW
                row.updated = self._now()
                self._save(row)
                self._tell("new", row)

    def pend(self, row: Row, status: str) -> None:
        """Mark an order as waiting to be canceled or replaced."""
        live = self._live[row.book_id]
        live.status = status
        live.updated = self._now()
        self._save(live)
        self._tell(status, live)

    def supersede(self, order: Order, client_order_id: str) -> Row:
        """End the order that stands for one of the book's, and begin another in its place.

        The new one is told of with the change of the book, which must follow.
        """
        old = self._live[order.broker_order_id]
        made = old.copy()
        made.number, made.submitted = self._next()
        made.id = str(uuid.uuid5(SPACE, f"{self._desk.store_id}:revision:{made.number}"))
        made.client_order_id = client_order_id
        made.base_filled, made.base_paid = order.filled, order.paid
        made.status, made.replaces = "", old.id
        made.time_in_force = order.time_in_force.lower()
        made.expires_at = _aged(made.submitted) if order.time_in_force == book.GTC else None
        old.status, old.replaced_by = rows.REPLACED, made.id
        old.updated = old.ended_at = self._now()
        self._save(old)
        self._tell("replaced", old)
        self._live[order.broker_order_id] = made
        return made

    def _begin(self, order: Order) -> None:
        """Make the order that stands for a new one of the book's."""
        facts = self._expected.get(order.client_order_id, {})
        row = Row()
        row.number, row.submitted = self._next()
        row.id = row.book_id = order.broker_order_id
        row.client_order_id = order.client_order_id or row.id
        if self.named(row.client_order_id) is not None:
            row.client_order_id = row.id  # told on the socket, where ids may come again
        row.symbol, row.side = order.symbol, order.side.lower()
        row.type, row.time_in_force = _TYPES[order.type], order.time_in_force.lower()
        row.extended = order.extended
        row.order_class = facts.get("order_class", "simple")
        row.group_id, row.role = order.group_id, _ROLES.get(order.role, "")
        row.intent = facts.get(
            "intent", "buy_to_open" if order.side == book.BUY else "sell_to_close"
        )
        row.trail_percent = _percent(order)
        if order.time_in_force == book.GTC:
            row.expires_at = _aged(row.submitted)
        self._copy(row, order)
        waits = self._desk.now > 0 and self._desk.closed(order)
        if row.status == rows.NEW and waits:
            row.status = rows.ACCEPTED
        if row.open:
            self._live[row.book_id] = row
        self._save(row)
        if row.status != rows.HELD:
            self._tell(row.status, row)

    def _copy(self, row: Row, order: Order) -> None:
        """Take over what the book knows."""
        row.qty = order.quantity - row.base_filled
        row.filled, row.paid = order.filled - row.base_filled, order.paid - row.base_paid
        row.limit_price, row.stop_price = order.limit_price, order.stop_price
        row.trail_price, row.hwm = order.trail, order.mark
        row.trail_percent = _percent(order)
        row.updated = max(self._now(), row.submitted)
        if order.status == book.FILLED:
            row.status, row.filled_at = rows.FILLED, row.updated
        elif order.status in _ENDS:
            row.status, row.ended_at = _ENDS[order.status], row.updated
        elif order.status == book.HELD:
            row.status = rows.HELD
        elif row.status not in rows.PENDING:
            working = rows.ACCEPTED if row.status == rows.ACCEPTED else rows.NEW
            row.status = rows.PARTIALLY_FILLED if row.filled else working

    def _next(self) -> tuple[int, int]:
        """Return the next running number, and a time of submission that no other order has."""
        self._number += 1
        self._submitted = max(self._now(), self._submitted + 1_000)
        return self._number, self._submitted

    def _save(self, row: Row) -> None:
        marks = ",".join("?" * len(COLUMNS))
        statement = f"INSERT OR REPLACE INTO alpaca_orders VALUES ({marks})"
        self._desk.store.write(statement, row.values())

    def _tell(self, event: str, row: Row, **facts: str) -> None:
        name = f"{row.id}:{event}:{row.updated}:{row.filled}"
        ts = self._desk.now if event in ("fill", "partial_fill") and self._desk.now else row.updated
        data: dict[str, object] = {
            "event": event,
            "execution_id": str(uuid.uuid5(SPACE, name)),
            "timestamp": stamp(ts),
            "order": view(row),
            **facts,
        }
        self._updates.append(json.dumps({"stream": "trade_updates", "data": data}))


def is_parent(row: Row) -> bool:
    """Tell whether the others of a group hang on this order."""
    return row.role == "entry" or (row.role == "take_profit" and row.order_class == "oco")


def _untraded(row: Row) -> Row:
    """Return an order as it was at its acceptance."""
    begun = row.copy()
    held = row.status == rows.HELD or (row.role and not is_parent(row) and row.order_class != "oco")
    begun.status = rows.HELD if held else rows.ACCEPTED
    begun.filled, begun.paid = 0, 0
    begun.filled_at = begun.ended_at = None
    begun.updated = row.submitted
    return begun


def _percent(order: Order) -> int | None:
    """Return the trail of an order in 1e-9 percent; the book has it as a rate."""
    return None if order.trail_rate is None else order.trail_rate * _PERCENT


def _aged(submitted: int) -> int:
    """Return when an order good until cancelled is cancelled all the same."""
    day = new_york_date(submitted) + dt.timedelta(days=_GTC_DAYS)
    return at(dt.datetime.combine(day, dt.time(16, 15), NEW_YORK))
