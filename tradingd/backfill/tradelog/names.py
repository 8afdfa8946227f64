"""How the columns of trade logs are called."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

SYMBOL: Final = "symbol"
DATE: Final = "date"

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    SYMBOL: (
        "symbol", "ticker", "stock", "ticker symbol", "stock symbol", "stock ticker", "symbols",
        "tickers", "stocks", "sym", "instrument", "underlying", "security",
    ),
    DATE: (
        "date", "trade date", "trading date", "date of trade", "day", "trade day", "trading day",
        "session", "session date", "open date", "date opened", "opened", "entry date",
        "date of entry", "entry day", "date time", "trade date time", "open date time",
        "entry date time", "open time", "entry time", "execution date", "exec date",
        "execution time", "exec time", "executed at", "fill date", "fill time", "filled at",
        "run date", "activity date", "timestamp",
    ),
}  # fmt: skip
"""Field -> names, the better first; case, spaces and punctuation do not matter."""

_OUT: Final = re.compile(r"[\W_]+")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Where a table has what, as 0-based places in a row; `doubts` tells what was not clear.

    `header` is the row that says so: printed pages repeat it.
    """

    symbol: int
    date: int
    header: tuple[object, ...]
    doubts: tuple[str, ...] = ()


def plain(name: object) -> str:
    """Return a column's name without case, spaces and punctuation."""
    return _OUT.sub("", str(name).casefold()) if name is not None else ""


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Refuse a field that trade logs do not have.

    Raises
    ------
    Failure
        CONFIG, naming the key.
    """
    for field in overrides:
        if field not in NAMES:
            close = nearest(field, NAMES)
            raise Failure(
                f"a trade log has no field {field!r}",
                code=ExitCode.CONFIG,
                where=f"backfill.columns.{field}",
                expected=", ".join(NAMES),
                next_step=f"did you mean {close!r}?" if close else "",
            )


def find_columns(cells: Sequence[object], overrides: Mapping[str, str]) -> Columns | None:
    """Return the columns that a row names, None when it is no header."""
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        if name := plain(cell):
            places.setdefault(name, []).append(place)
    symbol, date = (_matches(field, places, overrides) for field in (SYMBOL, DATE))
    if not symbol or not date:
        return None
    doubts = [
        f"{len(found)} columns could be the {field}: {', '.join(str(cells[i]) for i in found)}; "
        f"the first is read"
        for field, found in ((SYMBOL, symbol), (DATE, date))
        if len(found) > 1
    ]
    return Columns(symbol=symbol[0], date=date[0], header=tuple(cells), doubts=tuple(doubts))


def _matches(
    field: str, places: Mapping[str, list[int]], overrides: Mapping[str, str]
) -> list[int]:
    names = (overrides[field],) if field in overrides else NAMES[field]
    return [place for name in names for place in places.get(plain(name), ())]
