"""Read the journal for a comparison: plain SQL over a read-only connection, no book-keeping."""

import sqlite3
from pathlib import Path

import msgspec

from tradingd.app.verify.facts import OurAdjustment, OurFill, OurGuard, OurOrder, Ours
from tradingd.domain.money import Nanos
from tradingd.journal.opening import reading


class _Kept(msgspec.Struct):
    """The one number of the kept book that is compared; Nanos."""

    cash: int


def read_journal(path: Path) -> Ours:
    """Return what the journal says, in one snapshot; a daemon may go on writing meanwhile.

    Raises
    ------
    Failure
        JOURNAL where there is none, or it cannot be read.
    """
    with reading(path) as link:
        return Ours(
            since=_began(link),
            started=int(link.execute("SELECT min(started) FROM runs").fetchone()[0] or 0),
            orders={row[0]: OurOrder(*row) for row in _orders(link)},
            fills={row[0]: OurFill(*row) for row in _fills(link)},
            adjustments=[OurAdjustment(*row) for row in _adjustments(link)],
            guards={row[0]: OurGuard(*row) for row in _guards(link)},
            cash=_cash(link),
        )


def _orders(link: sqlite3.Connection) -> sqlite3.Cursor:
    return link.execute(
        'SELECT order_id, symbol, side, quantity, type, purpose, state, "limit", stop, '
        "protective_stop, filled FROM orders ORDER BY id"
    )


def _fills(link: sqlite3.Connection) -> sqlite3.Cursor:
    # Shares of a corporate action are in `adjustments`, too.
    return link.execute(
        "SELECT fill_id, order_id, symbol, side, quantity, price, commission, ts FROM fills "
        "WHERE purpose <> 'CORPORATE' ORDER BY id"
    )


def _adjustments(link: sqlite3.Connection) -> sqlite3.Cursor:
    return link.execute(
        "SELECT adjustment_id, symbol, shares, cash, numerator, denominator, ts FROM adjustments "
        "ORDER BY id"
    )


def _guards(link: sqlite3.Connection) -> sqlite3.Cursor:
    return link.execute("SELECT symbol, stop FROM guards WHERE active = 1")


def _began(link: sqlite3.Connection) -> int:
    """Return the first data time of the journal; 0 before anything happened."""
    first = [
        link.execute(f"SELECT min(ts) FROM {table} WHERE ts > 0").fetchone()[0]
        for table in ("orders", "fills", "equity")
    ]
    return min((int(ts) for ts in first if ts is not None), default=0)


def _cash(link: sqlite3.Connection) -> Nanos | None:
    """Return the kept book's cash and what the fills after it did to it."""
    kept = link.execute("SELECT fills, state FROM book").fetchone()
    if kept is None:
        return None
    moved = link.execute(
        "SELECT coalesce(sum((CASE side WHEN 'BUY' THEN -1 ELSE 1 END) * quantity * price "
        "- commission), 0) FROM fills WHERE id > ? AND purpose <> 'CORPORATE'",
        (kept[0],),
    ).fetchone()[0]
    return msgspec.json.decode(kept[1], type=_Kept).cash + int(moved)
