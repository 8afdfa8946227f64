"""Splits and dividends out of LEAN's factor files.

A row (day, price factor, split factor, close) says: prices up to and including `day` times both
factors are adjusted to the newest. So a change between two rows is an action with its ex-date on
the session after the upper row's day, and `close` is the last price before it.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.rational import split_terms
from tradingd.sources.rounding import shortest_within
from tradingd.sources.times import next_session_day

FACTOR_STEP: Final = Decimal("0.0000001")
"""Price factors carry seven decimals, each rounded by up to half of this."""


class FactorRow(msgspec.Struct, frozen=True):
    """One line of a factor file."""

    day: dt.date
    price_factor: Decimal
    split_factor: Decimal
    close: Decimal


def factor_actions(root: Path, calendar: SessionCalendar) -> Iterator[CorporateAction]:
    """Yield the splits and dividends of every factor file, by symbol and ex-date."""
    for path in sorted((root / "factor_files").glob("*.csv")):
        yield from actions_of(path.stem.upper(), read_factors(path, root), calendar)


def actions_of(
    symbol: str, rows: list[FactorRow], calendar: SessionCalendar
) -> Iterator[CorporateAction]:
    """Yield what changed between each row and the next."""
    for before, after in pairwise(rows):
        ex_date = next_session_day(calendar, before.day)
        if before.price_factor != after.price_factor:
            yield CorporateAction(
                symbol=symbol,
                ex_date=ex_date,
                kind=ActionKind.DIVIDEND,
                amount=nanos(dividend(before, after)),
                source="lean",
            )
        if before.split_factor != after.split_factor:
            # Prices shrink by the ratio of the factors, shares grow by its inverse.
            growth = Fraction(after.split_factor) / Fraction(before.split_factor)
            numerator, denominator = split_terms(growth)
            yield CorporateAction(
                symbol=symbol,
                ex_date=ex_date,
                kind=ActionKind.SPLIT,
                numerator=numerator,
                denominator=denominator,
                source="lean",
            )


def dividend(before: FactorRow, after: FactorRow) -> Decimal:
    """Return dollars per share, as precise as the factors allow.

    The amount is close x (1 - factor before / factor after). Two factors rounded at the seventh
    decimal leave it uncertain by close x 1e-7 / factor; of the decimals in that band the
    shortest is taken (two places or more): AAPL 2012-08-09 computes to 2.64996 and is 2.65.
    """
    ratio = before.price_factor / after.price_factor
    uncertainty = before.close * FACTOR_STEP / after.price_factor
    return shortest_within(before.close * (1 - ratio), uncertainty)


def read_factors(path: Path, root: Path) -> list[FactorRow]:
    """Read one factor file, oldest row first."""
    label = path.relative_to(root)
    with path.open(newline="", encoding="utf-8") as stream:
        return [_row(cells, label, number) for number, cells in enumerate(csv.reader(stream), 1)]


def _row(cells: list[str], label: Path, number: int) -> FactorRow:
    try:
        day = dt.datetime.strptime(cells[0], "%Y%m%d").date()  # noqa: DTZ007 (a date)
        # Files without the fourth column have no reference close.
        price, split, close = (Decimal(cell) for cell in [*cells[1:4], "0"][:3])
        if price <= 0 or split <= 0:
            raise ValueError("factors must be positive")
    except (ValueError, IndexError, InvalidOperation):
        raise Failure(
            "invalid row in a factor file",
            code=ExitCode.INVALID_ROW,
            where=f"{label}, row {number}",
            expected="YYYYMMDD,price factor > 0,split factor > 0,close",
            found=",".join(cells),
        ) from None
    return FactorRow(day, price, split, close)
