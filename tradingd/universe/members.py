"""Membership in time: on which days a symbol belonged to an index or to a tier."""

import csv
import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradingd.kits.failure import ExitCode, Failure

_JOINED = ("opt-in", "opt_in", "joined", "from", "start")
_LEFT = ("opt-out", "opt_out", "left", "until", "end")


class Span(NamedTuple):
    """Days from `first`, inclusive, to `until`, exclusive."""

    first: dt.date
    until: dt.date


class Membership(msgspec.Struct, frozen=True):
    """Spans of each symbol, sorted and apart from each other."""

    spans: dict[str, tuple[Span, ...]]

    def on(self, symbol: str, day: dt.date) -> bool:
        """Tell whether the symbol belongs that day."""
        spans = self.spans.get(symbol, ())
        after = bisect_right(spans, day, key=lambda span: span.first)
        return after > 0 and day < spans[after - 1].until

    def ever(self, start: dt.date, end: dt.date) -> tuple[str, ...]:
        """Return the symbols that belong on at least one day of a range, both inclusive."""
        return tuple(
            symbol
            for symbol, spans in sorted(self.spans.items())
            if any(span.first <= end and start < span.until for span in spans)
        )


def joined(spans: Mapping[str, Iterable[Span]]) -> Membership:
    """Unite spans that touch or overlap."""
    found = {}
    for symbol, some in spans.items():
        union: list[Span] = []
        for span in sorted(some):
            if union and span.first <= union[-1].until:
                union[-1] = Span(union[-1].first, max(union[-1].until, span.until))
            elif span.first < span.until:
                union.append(span)
        found[symbol] = tuple(union)
    return Membership(found)


def from_days(members: Iterable[tuple[dt.date, Iterable[str]]], last_until: dt.date) -> Membership:
    """Build spans from the members of days.

    Parameters
    ----------
    members : iterable of (date, symbols)
        Days in time order. A symbol belongs from its day to the next one listed.
    last_until : date
        First day for which the last list no longer holds.
    """
    days = list(members)
    ends = [*(day for day, _ in days[1:]), last_until]
    spans: dict[str, list[Span]] = {}
    for (day, symbols), until in zip(days, ends, strict=True):
        for symbol in symbols:
            spans.setdefault(symbol, []).append(Span(day, until))
    return joined(spans)


def read_membership(path: Path) -> Membership:
    """Read ``symbol, opt-in, opt-out`` rows; an empty opt-out: still a member.

    The day of `opt-out` is the first one outside, so one on the day of the opt-in is of no day.
    Other columns are left alone.

    Raises
    ------
    Failure
        UNREADABLE_INPUT without the file or its columns, INVALID_ROW for a bad date.
    """
    spans: dict[str, list[Span]] = {}
    for where, row in rows_of(path, "symbol", _JOINED[0]):
        symbol = row["symbol"].strip().upper()
        first = date_of(_first_of(row, _JOINED), where) or dt.date.min
        until = date_of(_first_of(row, _LEFT), where) or dt.date.max
        if until < first:
            raise bad_row(where, "an opt-out not before its opt-in", f"{first} .. {until}")
        spans.setdefault(symbol, []).append(Span(first, until))
    return joined(spans)


def rows_of(path: Path, *columns: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) of a CSV file with a header; `columns` must be in it."""
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, "a readable CSV file", str(error)) from None
    reader = csv.DictReader(text.splitlines())
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    for column in columns:
        alike = _JOINED if column == _JOINED[0] else (column,)
        if not set(alike) & set(header):
            raise _unreadable(path, f"a column {column}", ", ".join(header) or "no header")
    for number, row in enumerate(reader, 2):
        yield (
            f"{path.name}, line {number}",
            {name: value or "" for name, value in row.items() if isinstance(name, str)},
        )


def date_of(text: str, where: str) -> dt.date | None:
    """Return an ISO date; None where there is none."""
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise bad_row(where, "a date such as 2016-11-01", text) from None


def bad_row(where: str, expected: str, found: str) -> Failure:
    """Return the refusal of one row."""
    return Failure(
        "invalid row", code=ExitCode.INVALID_ROW, where=where, expected=expected, found=found
    )


def _first_of(row: Mapping[str, str], names: Sequence[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _unreadable(path: Path, expected: str, found: str) -> Failure:
    return Failure(
        "a table of the universe cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=expected,
        found=found,
        next_step="correct universe.membership or universe.shares, or leave it empty",
    )
