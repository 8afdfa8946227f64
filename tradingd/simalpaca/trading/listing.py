"""GET of orders: one, by client id, and lists with their filters."""

from typing import Final

from tradingd.simalpaca.trading import rows
from tradingd.simalpaca.trading.errors import bad_field, not_found
from tradingd.simalpaca.trading.fields import Query, order_id
from tradingd.simalpaca.trading.ledger import Ledger, is_parent
from tradingd.simalpaca.trading.rows import Row, view

_STATUSES: Final = {
    "open": "status IN ({})".format(",".join(f"'{status}'" for status in rows.OPEN)),
    "closed": "status NOT IN ({})".format(",".join(f"'{status}'" for status in rows.OPEN)),
    "all": "1",
}


class Listing:
    """Answers questions for orders.

    Parameters
    ----------
    ledger : Ledger
        Where they are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def one(self, text: str, *, nested: bool) -> dict[str, object]:
        """Return an order by its id."""
        row = self._ledger.row(order_id(text))
        if row is None:
            raise not_found(f"order not found for {text}")
        return view(row, self._ledger.legs(row) if nested else None)

    def named(self, client_order_id: str) -> dict[str, object]:
        """Return an order by its client's id."""
        if not client_order_id:
            raise bad_field("client_order_id is required")
        row = self._ledger.named(client_order_id)
        if row is None:
            raise not_found(f"order not found for {client_order_id}")
        return view(row)

    def many(self, query: Query) -> list[dict[str, object]]:
        """Return the orders that a list asks for, newest first unless it asks otherwise."""
        direction = query.word("direction", ("asc", "desc"), "desc")
        limit = query.whole("limit", 50, 1, 500)
        where, values = self._where(query)
        nested = query.flag("nested")
        found = self._ledger.rows(
            f"{where} ORDER BY number {direction.upper()} LIMIT {limit}", tuple(values)
        )
        if not nested:
            return [view(row) for row in found]
        parents = {row.group_id for row in found if row.group_id and is_parent(row)}
        shown = [row for row in found if is_parent(row) or row.group_id not in parents]
        return [view(row, self._ledger.legs(row)) for row in shown]

    def _where(self, query: Query) -> tuple[str, list[object]]:
        clauses = [_STATUSES[query.word("status", tuple(_STATUSES), "open")]]
        values: list[object] = []
        for name, clause in (("after", "submitted > ?"), ("until", "submitted < ?")):
            time = query.time(name)
            if time is not None:
                clauses.append(clause)
                values.append(time)
        for name, clause in (("after_order_id", "number > ?"), ("before_order_id", "number < ?")):
            text = query.text(name)
            if text:
                clauses.append(clause)
                values.append(self._number(text))
        symbols = query.list("symbols")
        if symbols:
            clauses.append(f"symbol IN ({','.join('?' * len(symbols))})")
            values += symbols
        side = query.word("side", ("", "buy", "sell"), "")
        if side:
            clauses.append("side = ?")
            values.append(side)
        classes = query.list("asset_class")
        if classes and not {"us_equity", "all"} & set(classes):
            clauses.append("0")
        return " AND ".join(clauses), values

    def _number(self, text: str) -> int:
        row: Row | None = self._ledger.row(order_id(text))
        if row is None:
            raise not_found(f"order not found for {text}")
        return row.number
