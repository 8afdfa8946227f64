"""Shares outstanding by date, from a table of your own."""

import datetime as dt
from pathlib import Path

from tradingd.universe.members import bad_row, date_of, rows_of


def read_shares(path: Path) -> dict[str, tuple[tuple[dt.date, float], ...]]:
    """Read ``symbol, date, shares`` rows; each count holds from its date on.

    Raises
    ------
    Failure
        UNREADABLE_INPUT without the file or its columns, INVALID_ROW for a bad date or number.
    """
    found: dict[str, dict[dt.date, float]] = {}
    for where, row in rows_of(path, "symbol", "date", "shares"):
        day = date_of(row["date"], where)
        if day is None:
            raise bad_row(where, "a date", "none")
        found.setdefault(row["symbol"].strip().upper(), {})[day] = _count(row["shares"], where)
    return {symbol: tuple(sorted(known.items())) for symbol, known in found.items()}


def _count(text: str, where: str) -> float:
    try:
        shares = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        shares = 0.0
    if not 0 < shares < float("inf"):
        raise bad_row(where, "shares: a number above zero", text)
    return shares
