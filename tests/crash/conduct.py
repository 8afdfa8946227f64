"""How a run went, beyond where it ended: faults that heal, or that only cost money sometimes.

Reads the broker's events and the journal, after the last process.
"""

import contextlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

type Row = dict[str, Any]

SLACK: Final = 0.9
"""Part of the settling time that must have passed; timers are not exact."""

_PROVES: Final = ("intent", "sent", "unknown", "accepted", "replaced", "recovered")
_SPLITS: Final = "SELECT symbol FROM adjustments WHERE numerator != denominator"
_FILLS: Final = "SELECT fills.*, type FROM fills JOIN orders USING (order_id) ORDER BY fills.id"
_LATE: Final = ("lost", "recovered", "replace_unknown")


def faults(folder: Path, settle_seconds: float, apart: bool = False) -> list[str]:
    """Return what should not have happened, as sentences."""
    journal = folder / "journal.sqlite"
    orders = {row["order_id"]: row for row in _rows(journal, "SELECT * FROM orders")}
    steps = _rows(journal, "SELECT * FROM order_events ORDER BY id")
    fills = _rows(journal, _FILLS)
    events = _rows(folder / "simbroker.sqlite", "SELECT body FROM events ORDER BY seq")
    splits = {row["symbol"] for row in _rows(journal, _SPLITS)}
    bodies = [json.loads(row["body"]) for row in events]
    return [
        *_lost_too_early(steps, settle_seconds),
        *_of_nobody([fill for fill in fills if fill["symbol"] not in splits]),
        *_not_waited(bodies, orders, steps, fills),
        *(_together(bodies, orders, steps, fills) if apart else ()),
    ]


def _rows(file: Path, query: str) -> list[Row]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query)]


def _lost_too_early(steps: list[Row], settle_seconds: float) -> Iterator[str]:
    """An order is lost when the broker has not had it for a while, not at the first look."""
    last: dict[str, int] = {}
    for step in steps:
        key = step["order_id"]
        if step["step"] in _PROVES:
            last[key] = step["wall"]
        elif step["step"] == "lost":
            seconds = (step["wall"] - last.get(key, 0)) / 1e9
            if seconds < SLACK * settle_seconds:
                yield f"{key} was given up as lost after {seconds:.3f} s"


def _of_nobody(fills: list[Row]) -> Iterator[str]:
    """What an exit opened by filling twice is closed; a position at the end is an entry's."""
    nobodys: dict[str, int] = defaultdict(int)
    for fill in fills:
        symbol, entry = fill["symbol"], fill["purpose"] == "ENTRY"
        signed = fill["quantity"] * (1 if fill["side"] == "BUY" else -1)
        after, before = fill["position_after"], fill["position_after"] - signed
        added = abs(after) - abs(before)
        if before * after <= 0:
            # What an exit opens stays too much when an entry comes on top of it.
            nobodys[symbol] = 0 if entry else abs(after)
        elif added > 0 and not entry:
            nobodys[symbol] += added
        elif fill["type"] == "MARKET" and fill["purpose"] == "PROTECT":
            nobodys[symbol] -= fill["quantity"]
        nobodys[symbol] = max(0, min(nobodys[symbol], abs(after)))
    for symbol, shares in nobodys.items():
        if shares:
            yield f"{symbol}: {shares} shares are held that no entry bought"


def _not_waited(
    events: list[Row], orders: dict[str, Row], steps: list[Row], fills: list[Row]
) -> Iterator[str]:
    """A market exit reaches the broker when nothing that rests there could sell its shares too."""
    late = {step["order_id"] for step in steps if _late(step)}
    reduced = _last_reductions(fills)
    held: dict[str, int] = defaultdict(int)
    resting: dict[str, Row] = {}
    seen: set[str] = set()
    for event in events:
        body = event[event["event"]]
        key = body.get("client_order_id", "")
        ours = orders.get(key)
        if ours is not None and _market_exit(ours) and key not in seen:
            seen.add(key)
            side, symbol = ours["side"], ours["symbol"]
            there = held[symbol] if side == "SELL" else -held[symbol]
            others = [
                one
                for one in resting.values()
                if (one["symbol"], one["side"]) == (symbol, side)
                and one["client_order_id"] not in late
                and orders[one["client_order_id"]]["run_id"] == ours["run_id"]
            ]
            most = max((_claim(one) for one in others), default=0)
            fresh = reduced.get((symbol, side), 0) < ours["ts"] and key not in late
            if most and fresh and most + ours["quantity"] > there:
                yield f"{key} left while {most} of {there} {symbol} could be sold by what rests"
        _follow(event["event"], body, held, resting, orders)


def _together(
    events: list[Row], orders: dict[str, Row], steps: list[Row], fills: list[Row]
) -> Iterator[str]:
    """Where exits must be apart, none reaches the broker for shares that another one holds.

    An order is judged when it appears and when it grows. Not judged are messages of a process that
    died, and what was given up and appeared after all.
    """
    late = {step["order_id"] for step in steps if _late(step)}
    reduced = _last_reductions(fills)
    held: dict[str, int] = defaultdict(int)
    working: dict[str, Row] = {}
    for event in events:
        kind = event["event"]
        body = event[kind]
        if kind == "fill":
            held[body["symbol"]] += body["quantity"] * (1 if body["side"] == "BUY" else -1)
            if body["client_order_id"] in working:
                working[body["client_order_id"]]["filled"] += body["quantity"]
            continue
        if kind == "adjustment":
            held[body["symbol"]] += body["shares"]
            continue
        key = body["client_order_id"]
        before = working.pop(key, None)
        ours = orders.get(key)
        if body["status"] != "WORKING" or ours is None or ours["purpose"] == "ENTRY":
            continue
        working[key] = dict(body)
        grown = before is None or body["quantity"] > before["quantity"]
        there = held[body["symbol"]] * (1 if body["side"] == "SELL" else -1)
        others = [
            one
            for other, one in working.items()
            if other != key and (one["symbol"], one["side"]) == (body["symbol"], body["side"])
        ]
        known = all(
            one["client_order_id"] not in late
            and orders[one["client_order_id"]]["run_id"] == ours["run_id"]
            for one in (*others, body)
        )
        fresh = reduced.get((body["symbol"], body["side"]), -1) < ours["ts"]
        total = sum(one["quantity"] - one["filled"] for one in (*others, body))
        if others and grown and known and fresh and total > there:
            yield f"{key}: {total} {body['symbol']} rest at the broker in all, {there} are held"


def _last_reductions(fills: list[Row]) -> dict[tuple[str, str], int]:
    """Return when entries last took from a position, by symbol and side."""
    reduced: dict[tuple[str, str], int] = {}
    for fill in fills:
        if fill["purpose"] == "ENTRY":
            key = fill["symbol"], fill["side"]
            reduced[key] = max(reduced.get(key, -1), fill["ts"])
    return reduced


def _late(step: Row) -> bool:
    """Tell whether a message came when it had been given up: its order proves nothing then."""
    changed = (step["step"], step["detail"]) == ("replaced", "as the broker has it")
    return changed or step["step"] in _LATE


def _market_exit(order: Row) -> bool:
    return bool(order["purpose"] == "EXIT" and order["type"] == "MARKET")


def _claim(order: Row) -> int:
    """Return what an order could still sell that is not its sibling's.

    Stop and target of a position share its shares: what one has filled the other may sell once
    more until it is cut, whether or not an exit is there. Such a surplus is closed (`_of_nobody`).
    """
    return max(0, int(order["quantity"] - order["filled"] - order["sibling"]))


def _sibling_filled(fill: Row, resting: dict[str, Row], orders: dict[str, Row]) -> None:
    key = fill["client_order_id"]
    if key not in resting or orders[key]["purpose"] != "PROTECT":
        return
    for other, order in resting.items():
        same = (order["symbol"], order["side"]) == (fill["symbol"], fill["side"])
        if same and other != key and orders[other]["purpose"] == "PROTECT":
            order["sibling"] += fill["quantity"]


def _follow(
    kind: str, body: Row, held: dict[str, int], resting: dict[str, Row], orders: dict[str, Row]
) -> None:
    if kind == "fill":
        held[body["symbol"]] += body["quantity"] * (1 if body["side"] == "BUY" else -1)
        if body["client_order_id"] in resting:
            resting[body["client_order_id"]]["filled"] += body["quantity"]
        _sibling_filled(body, resting, orders)
    elif kind == "adjustment":
        held[body["symbol"]] += body["shares"]
    else:
        key = body["client_order_id"]
        ours = orders.get(key)
        rests = ours is not None and ours["purpose"] != "ENTRY" and body["type"] != "MARKET"
        before = resting.pop(key, None)
        if rests and body["status"] == "WORKING":
            stands = before is not None and before["quantity"] == body["quantity"]
            resting[key] = {**body, "sibling": before["sibling"] if before and stands else 0}
