"""Shares that a broker would lend: LEAN's shortable lists.

`shortable/<broker>/symbols/<ticker>.csv` holds day,shares[,fee,rebate] rows and
`shortable/<broker>/dates/<day>.csv` holds ticker,shares rows; the two repeat each other. Where
two brokers (or the two lists) differ, the smaller number counts.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.lean.identity import Identities

type Shortable = dict[str, dict[dt.date, int]]


def read_shortable(root: Path, identities: Identities) -> Shortable:
    """Return shares per symbol and day; tickers of that day become the store's symbols."""
    found: Shortable = {}
    for ticker, day, shares in sorted(_entries(root)):
        days = found.setdefault(identities.on(ticker, day), {})
        days[day] = min(shares, days.get(day, shares))
    return found


def _entries(root: Path) -> Iterator[tuple[str, dt.date, int]]:
    folder = root / "shortable"
    for path in sorted(folder.glob("*/symbols/*.csv")):
        for cells, place in _lines(path, root):
            yield path.stem.upper(), _day(cells[0], place), _shares(cells, place)
    for path in sorted(folder.glob("*/dates/*.csv")):
        for cells, place in _lines(path, root):
            yield cells[0].upper(), _day(path.stem, place), _shares(cells, place)


def _lines(path: Path, root: Path) -> Iterator[tuple[list[str], str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        for number, cells in enumerate(csv.reader(stream), 1):
            if cells:
                yield cells, f"{path.relative_to(root)}, row {number}"


def _day(text: str, place: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date)
    except ValueError:
        raise _invalid(place, "a day as YYYYMMDD", text) from None


def _shares(cells: list[str], place: str) -> int:
    if len(cells) > 1 and cells[1].isdecimal():
        return int(cells[1])
    raise _invalid(place, "a whole number of shares", ",".join(cells))


def _invalid(place: str, expected: str, found: str) -> Failure:
    return Failure(
        "invalid row in a shortable list",
        code=ExitCode.INVALID_ROW,
        where=place,
        expected=expected,
        found=found,
    )
