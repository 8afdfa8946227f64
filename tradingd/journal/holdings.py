"""Positions as the journal knows them: every fill and adjustment of a symbol, summed up."""

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.money import Nanos
from tradingd.journal.opening import reading

# In the order they were booked in: a late fill has an early `ts`.
_MOVES: Final = """
SELECT ts, wall, 0 AS kind, id, CASE side WHEN 'BUY' THEN quantity ELSE -quantity END AS shares,
       price, strategy FROM fills WHERE symbol = :symbol
UNION ALL
SELECT ts, wall, 1, id, shares, NULL, '' FROM adjustments WHERE symbol = :symbol AND shares <> 0
ORDER BY wall, kind DESC, id
"""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One position that is not flat.

    `quantity` is signed, `entry_price` the average of what is held (restated by splits),
    `cost` what it was bought for (negative: sold short), `ts_opened` data time in UTC ns.
    """

    symbol: str
    strategy: str
    quantity: int
    entry_price: Nanos
    cost: Nanos
    ts_opened: int


def holdings(
    path: Path, *, symbol: str | None = None, strategy: str | None = None
) -> tuple[Holding, ...]:
    """Return the positions that are not flat, by symbol.

    Raises
    ------
    Failure
        JOURNAL when the file cannot be read.
    """
    with reading(path) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT symbol FROM fills UNION SELECT symbol FROM adjustments ORDER BY 1"
            )
        ]
        wanted = [name for name in names if symbol in (None, name)]
        found = [one for name in wanted if (one := _holding(connection, name)) is not None]
    return tuple(one for one in found if strategy in (None, one.strategy))


def _holding(connection: sqlite3.Connection, symbol: str) -> Holding | None:
    quantity, cost, opened, owner = 0, 0, 0, ""
    for ts, _, _, _, shares, price, strategy in connection.execute(_MOVES, {"symbol": symbol}):
        after = quantity + shares
        if price is None:
            # A split changes how many shares the same cost is spread over.
            quantity, cost = after, cost if after else 0
            continue
        if quantity * after <= 0:
            opened, owner, cost = ts, strategy, after * price
        elif abs(after) > abs(quantity):
            cost += shares * price
        else:
            cost = cost * after // quantity
        quantity = after
    if not quantity:
        return None
    return Holding(
        symbol=symbol,
        strategy=owner,
        quantity=quantity,
        entry_price=(2 * cost + quantity) // (2 * quantity),
        cost=cost,
        ts_opened=opened,
    )
