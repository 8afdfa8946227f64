"""TWS's book: rows by position, inserted, changed and deleted; and the ladder they make (pure).

https://interactivebrokers.github.io/tws-api/market_depth.html: a row is the order of one market
maker or exchange, so that several rows may have one price.
"""

import math
from decimal import Decimal
from typing import Final, NamedTuple

from tradingd.domain.depth import Ladder
from tradingd.domain.money import Nanos, rounded

INSERT: Final = 0
UPDATE: Final = 1
DELETE: Final = 2


class Row(NamedTuple):
    """One row; the price of one that TWS does not price is 0."""

    price: Nanos
    size: int
    maker: str


type Rows = tuple[Row, ...]
"""One side from the best; never changed, so that a state is kept by keeping it."""


def price_of(told: float) -> Nanos:
    """Return a price as it was written: the shortest text that reads as the same float."""
    return rounded(Decimal(repr(told))) if math.isfinite(told) and told > 0 else 0


def shares_of(told: float) -> int:
    """Return whole shares, a fraction cut off."""
    return int(told) if math.isfinite(told) and told > 0 else 0


def changed(rows: Rows, operation: int, position: int, row: Row, most: int) -> Rows:
    """Return a side after an operation.

    An insertion moves the rows from there on down, a deletion those behind it up. What falls off
    the end, and a deletion behind the end, is nothing to us. A position beyond the end is taken
    for the end: `told_beyond` says so.
    """
    before, behind = rows[:position], rows[position + 1 :]
    if operation == DELETE:
        return before + behind
    if operation == INSERT:
        behind = rows[position:]
    return (*before, row, *behind)[:most]


def told_beyond(rows: Rows, operation: int, position: int) -> bool:
    """Tell whether a row came for a place behind one that is not there: rows were lost."""
    return operation != DELETE and position > len(rows)


def level_of(rows: Rows, position: int) -> int:
    """Return which price level a row is of, 0 the best."""
    touched = rows[position].price if position < len(rows) else None
    return len({row.price for row in rows[:position]} - {touched})


def ladder(bids: Rows, asks: Rows, levels: int) -> Ladder:
    """Return price levels: rows of one price are one level. The number of orders is not told."""
    flat: list[int | None] = []
    sides = (_by_price(bids), _by_price(asks))
    for level in range(levels):
        bid, ask = (side[level] if level < len(side) else (None, 0) for side in sides)
        flat += (bid[0], ask[0], bid[1], ask[1], None, None)
    return tuple(flat)


def _by_price(rows: Rows) -> list[tuple[Nanos, int]]:
    sizes: dict[Nanos, int] = {}
    for row in rows:
        if row.price and row.size:
            sizes[row.price] = sizes.get(row.price, 0) + row.size
    return list(sizes.items())
