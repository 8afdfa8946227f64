"""The third party: reads the broker's file and the daemon's journal and says where they disagree.

It imports nothing of the product: only the tables of the journal, of `contracts/simbroker.md` and,
where they are, of `contracts/simalpaca.md`, through sqlite3. Both files may be in use, but what
they tell must have come to rest: no order on its way, nothing unsettled.

    python -m tests.acceptance.compare_books SIMBROKER.SQLITE JOURNAL.SQLITE [--allow-foreign]

It prints one JSON object and ends with 0 when the books agree, 1 when they do not, 2 when a file
cannot be read.
"""

import argparse
import json
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

type Row = dict[str, Any]

UNSETTLED: Final = ("INTENT", "UNKNOWN")
KEPT: Final = "waiting for its price"
"""Note of a limit exit that has not been sent: the daemon watches its price itself."""
NEVER_THERE: Final = ("DENIED", "LOST")
OVER: Final = ("filled", "canceled", "expired", "rejected", "replaced")
"""How Alpaca calls orders to which nothing more happens."""

STOPS: Final = ("STOP_MARKET", "STOP_LIMIT")
FILL_FIELDS: Final = ("symbol", "side", "quantity", "price", "commission", "ts")
ADJUSTMENT_FIELDS: Final = ("kind", "symbol", "shares", "cash", "numerator", "denominator")


class Finding(NamedTuple):
    """One disagreement: what kind, of which order, fill or symbol, and both sides of it."""

    check: str
    subject: str
    broker: object
    journal: object


class Books(NamedTuple):
    """What both files say; journal rows by their own names, broker rows with journal names."""

    orders: Sequence[Row]
    fills: Mapping[str, Row]
    positions: Mapping[str, int]
    adjustments: Mapping[str, Row]
    own_orders: Mapping[str, Row]
    own_fills: Mapping[str, Row]
    own_adjustments: Mapping[str, Row]
    guards: Mapping[str, Row]
    links: Sequence[Row] = ()
    """Alpaca's orders: where a change makes a new one, a chain of them is one of `orders`."""

    def working(self, symbol: str | None = None) -> list[Row]:
        """Return the orders that work at the broker (of one symbol)."""
        return [
            order
            for order in self.orders
            if order["status"] == "WORKING" and symbol in (None, order["symbol"])
        ]

    def purpose(self, order: Row) -> str:
        """Return why we sent an order; empty for orders of others."""
        own = self.own_orders.get(order["client_order_id"])
        return str(own["purpose"]) if own else ""


def read(broker: Path, journal: Path) -> Books:
    """Read both files."""
    at_broker, ours = _Tables(broker), _Tables(journal)
    own_fills = [row for row in ours("fills") if row["purpose"] != "CORPORATE"]
    return Books(
        orders=at_broker("orders"),
        fills={row["fill_id"]: row for row in at_broker("fills")},
        positions={row["symbol"]: row["quantity"] for row in at_broker("positions")},
        adjustments={row["adjustment_id"]: row for row in at_broker("adjustments")},
        own_orders={row["order_id"]: row for row in ours("orders")},
        own_fills={row["fill_id"]: row for row in own_fills},
        own_adjustments={row["adjustment_id"]: row for row in ours("adjustments")},
        guards={row["symbol"]: row for row in ours("guards")},
        links=at_broker("alpaca_orders") if at_broker.has("alpaca_orders") else (),
    )


class _Tables:
    """One snapshot of a file's tables."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("BEGIN")

    def __call__(self, table: str) -> list[Row]:
        return [dict(row) for row in self._db.execute(f"SELECT * FROM {table}")]

    def has(self, table: str) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._db.execute(query, (table,)).fetchone() is not None

    def __del__(self) -> None:
        self._db.close()


def compare(books: Books, *, allow_foreign: bool = False) -> list[Finding]:
    """Return every disagreement."""
    findings = [
        *_duplicates(books),
        *_chains(books),
        *_order_sets(books, allow_foreign),
        *_states(books),
        *_terms(books),
        *_same("fill", books.fills, books.own_fills, FILL_FIELDS),
        *_fill_owners(books),
        *_same("adjustment", books.adjustments, books.own_adjustments, ADJUSTMENT_FIELDS),
        *_positions(books),
        *_own_sums(books),
        *_orphans(books),
        *_unprotected(books),
    ]
    if not allow_foreign:
        return findings
    foreign = {row["fill_id"] for row in books.fills.values() if not row["client_order_id"]}
    return [item for item in findings if item.subject not in foreign]


def _duplicates(books: Books) -> Iterator[Finding]:
    counts = Counter(order["client_order_id"] for order in books.orders)
    for client_id, count in sorted(counts.items()):
        if client_id and count > 1:
            ids = [o["broker_order_id"] for o in books.orders if o["client_order_id"] == client_id]
            yield Finding("duplicate_order", client_id, ids, "one order")


def _chains(books: Books) -> Iterator[Finding]:
    """Changed orders: the links of a chain are ROOT, ROOT~1, ...; one at most is not over."""
    roots = {order["broker_order_id"]: order["client_order_id"] for order in books.orders}
    chains: dict[str, list[Row]] = defaultdict(list)
    for link in books.links:
        root, made = roots[link["book_id"]], link["client_order_id"]
        chains[link["book_id"]].append(link)
        if root and made != root and not re.fullmatch(re.escape(root) + r"~\d+", made):
            yield Finding("link_of_another_order", link["id"], made, root)
    names = {link["id"]: roots[link["book_id"]] for link in books.links}
    for key, fill in sorted(books.own_fills.items()):
        root = names.get(key.rpartition(":")[0])
        if names and root != fill["order_id"]:
            yield Finding("fill_of_another_order", key, root, fill["order_id"])
    for book_id, links in sorted(chains.items()):
        begun = [link["id"] for link in links if not link["replaces"]]
        working = [link["id"] for link in links if link["status"] not in OVER]
        if len(begun) != 1 or len(working) > 1:
            yield Finding("broken_chain", roots[book_id] or book_id, [begun, working], "one")


def _order_sets(books: Books, allow_foreign: bool) -> Iterator[Finding]:
    """Orders that one side has and the other never heard of."""
    for order in books.orders:
        client_id = order["client_order_id"]
        if client_id not in books.own_orders and (client_id or not allow_foreign):
            subject = client_id or order["broker_order_id"]
            yield Finding("order_never_intended", subject, order["status"], None)
    there = {order["client_order_id"] for order in books.orders}
    for order_id, own in sorted(books.own_orders.items()):
        # A rejection may have been ours: nothing was sent, or it was dropped as not understood.
        if own["state"] in (*UNSETTLED, *NEVER_THERE, "REJECTED") or order_id in there:
            continue
        # Cancelled in our hands: withdrawn, or halted between the intent and the send.
        if own["state"] != "CANCELED" or own["broker_order_id"] or own["filled"]:
            yield Finding("order_not_at_broker", order_id, None, own["state"])


def _kept(own: Row) -> bool:
    return own["state"] == "INTENT" and own["note"] == KEPT


def _states(books: Books) -> Iterator[Finding]:
    for order_id, own in sorted(books.own_orders.items()):
        if own["state"] in UNSETTLED and not _kept(own):
            yield Finding("unsettled_order", order_id, _status(books, order_id), own["state"])
    for order in books.orders:
        own = books.own_orders.get(order["client_order_id"])
        if own is None or own["state"] in UNSETTLED:
            continue
        if own["state"] != order["status"]:
            subject = order["client_order_id"]
            yield Finding("state_differs", subject, order["status"], own["state"])
        if own["filled"] != order["filled"]:
            yield Finding("filled_differs", own["order_id"], order["filled"], own["filled"])


def _status(books: Books, order_id: str) -> list[str]:
    return [o["status"] for o in books.orders if o["client_order_id"] == order_id]


def _terms(books: Books) -> Iterator[Finding]:
    """Working orders whose side, size or prices are not what we believe."""
    for order in books.working():
        own = books.own_orders.get(order["client_order_id"])
        if own is None:
            continue
        names = ("symbol", "side", "type", "quantity")
        said = {name: order[name] for name in names}
        said |= {"limit": order["limit_price"], "stop": order["stop_price"]}
        believed = {name: own[name] for name in said}
        if said != believed:
            yield Finding("terms_differ", own["order_id"], said, believed)


def _same(
    what: str, broker: Mapping[str, Row], ours: Mapping[str, Row], names: Sequence[str]
) -> Iterator[Finding]:
    """Rows that one side lacks, or that differ in a field."""
    for key in sorted(broker.keys() - ours.keys()):
        yield Finding(f"{what}_not_in_journal", key, _part(broker[key], names), None)
    for key in sorted(ours.keys() - broker.keys()):
        yield Finding(f"{what}_not_at_broker", key, None, _part(ours[key], names))
    for key in sorted(broker.keys() & ours.keys()):
        said, believed = _part(broker[key], names), _part(ours[key], names)
        if said != believed:
            yield Finding(f"{what}_differs", key, said, believed)


def _part(row: Row, names: Sequence[str]) -> Row:
    return {name: row[name] for name in names}


def _fill_owners(books: Books) -> Iterator[Finding]:
    for key in sorted(books.fills.keys() & books.own_fills.keys()):
        said, believed = books.fills[key]["client_order_id"], books.own_fills[key]["order_id"]
        if said != believed:
            yield Finding("fill_of_another_order", key, said, believed)


def _net(fills: Mapping[str, Row], adjustments: Mapping[str, Row]) -> dict[str, int]:
    net: dict[str, int] = defaultdict(int)
    for fill in fills.values():
        net[fill["symbol"]] += fill["quantity"] * (1 if fill["side"] == "BUY" else -1)
    for adjustment in adjustments.values():
        net[adjustment["symbol"]] += adjustment["shares"]
    return {symbol: quantity for symbol, quantity in net.items() if quantity}


def _positions(books: Books) -> Iterator[Finding]:
    ours = _net(books.own_fills, books.own_adjustments)
    for symbol in sorted(books.positions.keys() | ours.keys()):
        said, believed = books.positions.get(symbol, 0), ours.get(symbol, 0)
        if said != believed:
            yield Finding("position_differs", symbol, said, believed)


def _own_sums(books: Books) -> Iterator[Finding]:
    """The broker against itself, so that a fault of the test bench is not blamed on the daemon."""
    summed = _net(books.fills, books.adjustments)
    if summed != dict(books.positions):
        yield Finding("broker_contradicts_itself", "positions", dict(books.positions), summed)
    filled: dict[str, int] = defaultdict(int)
    for fill in books.fills.values():
        filled[fill["broker_order_id"]] += fill["quantity"]
    for order in books.orders:
        said = order["filled"], filled[order["broker_order_id"]]
        if said[0] != said[1]:
            yield Finding("broker_contradicts_itself", order["broker_order_id"], *said)


def _orphans(books: Books) -> Iterator[Finding]:
    """Working orders that should only reduce and would do more: no position, other side, too big.

    A stop and a target of one position are alternatives, so each is measured by itself.
    """
    for order in books.working():
        if books.purpose(order) not in ("PROTECT", "EXIT"):
            continue
        held = books.positions.get(order["symbol"], 0)
        remaining = order["quantity"] - order["filled"]
        reducible = -held if order["side"] == "BUY" else held
        if remaining > reducible:
            wanted = {"side": order["side"], "remaining": remaining, "type": order["type"]}
            yield Finding("orphan_leg", order["client_order_id"], wanted, {"position": held})


def _unprotected(books: Books) -> Iterator[Finding]:
    for symbol, held in sorted(books.positions.items()):
        guard = books.guards.get(symbol)
        if guard is None:
            if _asked_for_stop(books, symbol, held):
                yield Finding("unprotected_position", symbol, {"position": held}, "no guard")
            continue
        if not guard["active"] or guard["stop"] is None:
            continue
        closing = [order for order in books.working(symbol) if _closes(order, held)]
        stops = [order for order in closing if order["type"] in STOPS]
        exits = [order for order in closing if order["type"] == "MARKET"]
        covered = sum(order["quantity"] - order["filled"] for order in (*stops, *exits))
        if covered < abs(held):
            said = {"position": held, "covered": covered}
            yield Finding("unprotected_position", symbol, said, {"stop": guard["stop"]})
        for order in stops:
            if order["stop_price"] != guard["stop"]:
                subject = order["client_order_id"]
                yield Finding("stop_price_differs", subject, order["stop_price"], guard["stop"])


def _closes(order: Row, held: int) -> bool:
    return (order["side"] == "SELL") == (held > 0)


def _asked_for_stop(books: Books, symbol: str, held: int) -> bool:
    """Tell whether the latest filled entry on the side that is held wanted a protective stop.

    An entry of the other side only took shares away; its stop was for a position it never made.
    """
    side = "BUY" if held > 0 else "SELL"
    entries = [
        row
        for row in books.own_orders.values()
        if (row["symbol"], row["side"], row["purpose"]) == (symbol, side, "ENTRY") and row["filled"]
    ]
    latest = max(entries, key=lambda row: (row["ts"], row["wall"]), default=None)
    return latest is not None and latest["protective_stop"] is not None


def report(books: Books, findings: Sequence[Finding]) -> dict[str, object]:
    """Return what is printed."""
    return {
        "agree": not findings,
        "orders": len(books.orders),
        "fills": len(books.fills),
        "positions": dict(books.positions),
        "working": len(books.working()),
        "checks": dict(Counter(finding.check for finding in findings)),
        "findings": [finding._asdict() for finding in findings],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two files and print the report."""
    parser = argparse.ArgumentParser(prog="compare_books", description=__doc__)
    parser.add_argument("broker", type=Path, help="simbroker.sqlite")
    parser.add_argument("journal", type=Path, help="journal.sqlite")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="ignore orders without a client order id"
    )
    options = parser.parse_args(arguments)
    try:
        books = read(options.broker, options.journal)
    except sqlite3.Error as error:
        print(json.dumps({"agree": False, "error": str(error)}))
        return 2
    findings = compare(books, allow_foreign=options.allow_foreign)
    print(json.dumps(report(books, findings), indent=1))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
