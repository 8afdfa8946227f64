"""Who a ticker was on a day: LEAN's map files.

LEAN names data files by the ticker that traded on that day and map and factor files by the
security's last ticker, with `.1`, `.2` ... for an earlier owner of the same letters. The store
keeps one symbol per security, so every row is filed under that last name:
`daily/goog.zip` is GOOGL until 2014-04-02 and GOOG from the next day on.

A map file is a list of (last day, ticker); its first row is the first day of trading. Days of a
ticker that no map file claims belong to another company: the newest such span gets the bare
ticker if no map file has that name, every other span the next free number (`WM.1` is Washington
Mutual, 1998-2008).
"""

import csv
import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.times import next_session_day

STILL_LISTED: Final = dt.date(2050, 12, 31)
_DAY: Final = dt.timedelta(days=1)


class Span(msgspec.Struct, frozen=True, order=True):
    """A ticker's owner from `first` to `last`, both inclusive."""

    first: dt.date
    last: dt.date
    symbol: str


class Listing(msgspec.Struct, frozen=True):
    """One map file: the tickers of one security, oldest first."""

    symbol: str
    tickers: tuple[tuple[dt.date, dt.date, str], ...]


class Identities:
    """Every map file of a folder, by ticker."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.listings = tuple(listings)
        self._claims: dict[str, list[Span]] = {}
        for listing in listings:
            for first, last, ticker in listing.tickers:
                self._claims.setdefault(ticker, []).append(Span(first, last, listing.symbol))

    def spans(self, ticker: str) -> Sequence[Span]:
        """Return who owned the ticker over all of time, without gaps."""
        claims = sorted(self._claims.get(ticker, ()))
        if not claims:
            return (Span(dt.date.min, dt.date.max, ticker),)
        gaps = list(_gaps(claims))
        names = self._free_names(ticker)
        return sorted([*claims, *(Span(*gap, next(names)) for gap in reversed(gaps))])

    def on(self, ticker: str, day: dt.date) -> str:
        """Return the symbol that a ticker stood for on a day."""
        spans = self.spans(ticker)
        return spans[bisect_right(spans, day, key=lambda span: span.first) - 1].symbol

    def _free_names(self, ticker: str) -> Iterator[str]:
        taken = {listing.symbol for listing in self.listings}
        if ticker not in taken:
            yield ticker
        number = 1
        while True:
            if f"{ticker}.{number}" not in taken:
                yield f"{ticker}.{number}"
            number += 1


def _gaps(claims: Sequence[Span]) -> Iterator[tuple[dt.date, dt.date]]:
    start: dt.date | None = dt.date.min
    for claim in claims:
        if start is not None and start < claim.first:
            yield start, claim.first - _DAY
        start = None if claim.last >= STILL_LISTED else claim.last + _DAY
    if start is not None:
        yield start, dt.date.max


def read_listings(root: Path) -> list[Listing]:
    """Read every map file below an equity root, sorted by name."""
    return [_read_listing(path, root) for path in sorted((root / "map_files").glob("*.csv"))]


def _read_listing(path: Path, root: Path) -> Listing:
    label = path.relative_to(root)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = [_row(cells, label, number) for number, cells in enumerate(csv.reader(stream), 1)]
    tickers: list[tuple[dt.date, dt.date, str]] = []
    first = rows[0][0] if rows else dt.date.min
    for last, ticker in rows:
        if tickers and tickers[-1][2] == ticker:
            tickers[-1] = (tickers[-1][0], last, ticker)
        else:
            tickers.append((first, last, ticker))
        first = last + _DAY
    return Listing(path.stem.upper(), tuple(tickers))


def _row(cells: Sequence[str], label: Path, number: int) -> tuple[dt.date, str]:
    try:
        return dt.datetime.strptime(cells[0], "%Y%m%d").date(), cells[1].upper()  # noqa: DTZ007 (a date)
    except (ValueError, IndexError):
        raise Failure(
            "invalid row in a map file",
            code=ExitCode.INVALID_ROW,
            where=f"{label}, row {number}",
            expected="YYYYMMDD,ticker",
            found=",".join(cells),
        ) from None


def name_changes(
    listings: Sequence[Listing], calendar: SessionCalendar
) -> Iterator[CorporateAction]:
    """Yield a rename per change of ticker, and a delisting where the last day has passed."""
    for listing in listings:
        for (_, last, old), (_, _, new) in zip(listing.tickers, listing.tickers[1:], strict=False):
            yield CorporateAction(
                symbol=new,
                ex_date=next_session_day(calendar, last),
                kind=ActionKind.RENAME,
                old_symbol=old,
                source="lean",
            )
        if listing.tickers and listing.tickers[-1][1] < STILL_LISTED:
            yield CorporateAction(
                symbol=listing.symbol,
                ex_date=next_session_day(calendar, listing.tickers[-1][1]),
                kind=ActionKind.DELISTING,
                source="lean",
            )
