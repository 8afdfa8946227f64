"""An order as Alpaca shows it: replacing one makes another, where the book has one for both."""

import uuid
from typing import Final

from tradingd.simalpaca.stamps import optional_stamp, stamp
from tradingd.simbroker.amounts import optional_text, ratio, text

NEW: Final = "new"
ACCEPTED: Final = "accepted"
HELD: Final = "held"
PARTIALLY_FILLED: Final = "partially_filled"
FILLED: Final = "filled"
CANCELED: Final = "canceled"
EXPIRED: Final = "expired"
REJECTED: Final = "rejected"
REPLACED: Final = "replaced"
PENDING_CANCEL: Final = "pending_cancel"
PENDING_REPLACE: Final = "pending_replace"

PENDING: Final = (PENDING_CANCEL, PENDING_REPLACE)
OPEN: Final = (NEW, ACCEPTED, HELD, PARTIALLY_FILLED, *PENDING)

SPACE: Final = uuid.UUID("0b5ad5ad-6f0c-4d33-9b52-7f3a5a3c1d10")
"""Name space of every id that is derived from a name."""

COLUMNS: Final = (
    "id",
    "number",
    "book_id",
    "client_order_id",
    "symbol",
    "side",
    "qty",
    "filled",
    "paid",
    "base_filled",
    "base_paid",
    "type",
    "time_in_force",
    "limit_price",
    "stop_price",
    "trail_price",
    "trail_percent",
    "hwm",
    "extended",
    "order_class",
    "role",
    "group_id",
    "intent",
    "status",
    "submitted",
    "updated",
    "filled_at",
    "ended_at",
    "replaced_by",
    "replaces",
    "expires_at",
)

TABLE: Final = """
CREATE TABLE IF NOT EXISTS alpaca_orders (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, book_id TEXT NOT NULL,
    client_order_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL, side TEXT NOT NULL,
    qty INTEGER NOT NULL, filled INTEGER NOT NULL, paid INTEGER NOT NULL,
    base_filled INTEGER NOT NULL, base_paid INTEGER NOT NULL, type TEXT NOT NULL,
    time_in_force TEXT NOT NULL, limit_price INTEGER, stop_price INTEGER, trail_price INTEGER,
    trail_percent INTEGER, hwm INTEGER, extended INTEGER NOT NULL, order_class TEXT NOT NULL,
    role TEXT NOT NULL, group_id TEXT NOT NULL, intent TEXT NOT NULL, status TEXT NOT NULL,
    submitted INTEGER NOT NULL, updated INTEGER NOT NULL, filled_at INTEGER, ended_at INTEGER,
    replaced_by TEXT, replaces TEXT, expires_at INTEGER);
CREATE INDEX IF NOT EXISTS alpaca_orders_open ON alpaca_orders (status, number);
CREATE INDEX IF NOT EXISTS alpaca_orders_group ON alpaca_orders (group_id);
"""


class Row:
    """One order of Alpaca's; amounts in 1e-9, times in UTC ns.

    `base_filled` and `base_paid` are what earlier orders of its chain have filled: the book counts
    them together, Alpaca each by itself. `trail_percent` is in 1e-9 percent.
    """

    __slots__ = COLUMNS

    def __init__(self) -> None:
        self.id = ""
        self.number = 0
        self.book_id = ""
        self.client_order_id = ""
        self.symbol = ""
        self.side = ""
        self.qty = 0
        self.filled = 0
        self.paid = 0
        self.base_filled = 0
        self.base_paid = 0
        self.type = ""
        self.time_in_force = ""
        self.limit_price: int | None = None
        self.stop_price: int | None = None
        self.trail_price: int | None = None
        self.trail_percent: int | None = None
        self.hwm: int | None = None
        self.extended = 0
        self.order_class = ""
        self.role = ""
        self.group_id = ""
        self.intent = ""
        self.status = NEW
        self.submitted = 0
        self.updated = 0
        self.filled_at: int | None = None
        self.ended_at: int | None = None
        self.replaced_by: str | None = None
        self.replaces: str | None = None
        self.expires_at: int | None = None

    @property
    def open(self) -> bool:
        """True while something may still happen to the order."""
        return self.status in OPEN

    def values(self) -> tuple[object, ...]:
        """Return the values of `COLUMNS`."""
        return tuple(getattr(self, name) for name in COLUMNS)

    def copy(self) -> "Row":
        """Return another row of the same values."""
        return from_values(self.values())


def from_values(values: tuple[object, ...]) -> Row:
    """Rebuild a row from its columns."""
    row = Row()
    for name, value in zip(COLUMNS, values, strict=True):
        setattr(row, name, value)
    return row


def asset_id(symbol: str) -> str:
    """Return the id of a symbol's asset, the same in every store."""
    return str(uuid.uuid5(SPACE, f"asset:{symbol}"))


def view(row: Row, legs: "list[Row] | None" = None) -> dict[str, object]:
    """Return an order as it is sent."""
    ended = {row.status: optional_stamp(row.ended_at)}
    shown: dict[str, object] = {
        "id": row.id,
        "client_order_id": row.client_order_id,
        "created_at": stamp(row.submitted),
        "updated_at": stamp(row.updated),
        "submitted_at": stamp(row.submitted),
        "filled_at": optional_stamp(row.filled_at),
        "expired_at": ended.get(EXPIRED),
        "canceled_at": ended.get(CANCELED),
        "failed_at": ended.get(REJECTED),
        "replaced_at": ended.get(REPLACED),
        "replaced_by": row.replaced_by,
        "replaces": row.replaces,
        "asset_id": asset_id(row.symbol),
        "symbol": row.symbol,
        "asset_class": "us_equity",
        "notional": None,
        "qty": str(row.qty),
        "filled_qty": str(row.filled),
        "filled_avg_price": text(ratio(row.paid, 1, row.filled)) if row.filled else None,
        "order_class": row.order_class,
        "order_type": row.type,
        "type": row.type,
        "side": row.side,
        "position_intent": row.intent,
        "time_in_force": row.time_in_force,
        "limit_price": optional_text(row.limit_price),
        "stop_price": optional_text(row.stop_price),
        "status": row.status,
        "extended_hours": bool(row.extended),
        "legs": [view(leg) for leg in legs] if legs else None,
        "trail_percent": optional_text(row.trail_percent),
        "trail_price": optional_text(row.trail_price),
        "hwm": optional_text(row.hwm),
        "subtag": None,
        "source": None,
    }
    if row.group_id:
        shown |= {"group_id": row.group_id, "group_role": row.role}
    if row.expires_at is not None:
        shown["expires_at"] = stamp(row.expires_at)
    return shown
