"""Tiingo's CSV to bars and actions; pure.

Daily rows: date, close, high, low, open, volume (as traded), adj*, divCash, splitFactor.
IEX rows: date (start of the bar, with its offset from UTC), open, high, low, close, volume.
Source: api.tiingo.com/documentation/end-of-day and /iex.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars
from tradingd.sources.rational import split_terms
from tradingd.sources.remote import values
from tradingd.sources.remote.trouble import Kind, Trouble
from tradingd.sources.times import session_closes

type Row = dict[str, str]

_NEEDED: Final = ("date", "open", "high", "low", "close", "volume")
_LIMIT_WORDS: Final = ("allocation", "run over", "rate limit")


def rows(text: str) -> list[Row]:
    """Return the rows of an answer; Tiingo states some errors in words under status 200.

    Raises
    ------
    Trouble
        BUSY for its words about an allowance, REFUSED for its other words, GARBLED otherwise.
    """
    start = text.lstrip()
    if not start or start.startswith("[]"):
        return []
    if start.startswith("Error"):
        busy = any(words in start.lower() for words in _LIMIT_WORDS)
        raise Trouble(Kind.BUSY if busy else Kind.REFUSED, start, again=False)
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise Trouble(Kind.GARBLED, f"no column {missing[0]} in {start[:80]!r}")
    found = list(reader)
    for number, row in enumerate(found, start=2):
        if None in row or any(row[name] is None for name in _NEEDED):
            raise Trouble(Kind.GARBLED, f"line {number} is cut off")
    return found


def daily_bars(found: Sequence[Row], calendar: SessionCalendar) -> Bars:
    """Return unadjusted daily bars, stamped at their session's close."""
    days = values.days([values.day(row["date"]) for row in found])
    return _bars(found, session_closes(calendar, days))


def intraday_bars(found: Sequence[Row], resolution: Resolution) -> Bars:
    """Return IEX bars, stamped at their end."""
    starts = [values.instant(row["date"]) for row in found]
    return _bars(found, np.array(starts, dtype=np.int64) + resolution.nanoseconds)


def _bars(found: Sequence[Row], ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Bars:
    opened, high, low, close = (
        values.prices(row[name] for row in found) for name in ("open", "high", "low", "close")
    )
    return Bars(ts, opened, high, low, close, values.volumes(row["volume"] for row in found))


def actions(symbol: str, found: Sequence[Row]) -> Iterator[CorporateAction]:
    """Yield what the daily rows say about their own day: dividend in cash, split factor."""
    for row in found:
        day = values.day(row["date"])
        ratio = _ratio(row.get("splitFactor") or "1")
        if ratio != 1:
            numerator, denominator = split_terms(ratio)
            yield CorporateAction(
                symbol=symbol,
                ex_date=day,
                kind=ActionKind.SPLIT,
                numerator=numerator,
                denominator=denominator,
                source="tiingo",
            )
        amount = values.price(row.get("divCash") or "0")
        if amount:
            yield CorporateAction(
                symbol=symbol,
                ex_date=day,
                kind=ActionKind.DIVIDEND,
                amount=amount,
                source="tiingo",
            )


def _ratio(text: str) -> Fraction:
    try:
        ratio = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise Trouble(Kind.GARBLED, f"no split factor: {text!r}") from None
    if ratio <= 0:
        raise Trouble(Kind.GARBLED, f"no split factor: {text!r}")
    return ratio
