"""A cell to a symbol or a day, or the reason why it is none."""

import datetime as dt
import math
import re
from functools import lru_cache
from typing import Final

from tradingd.backfill.tasks import SYMBOL
from tradingd.session.calendar import NEW_YORK

_EXCHANGE: Final = re.compile(r"^[A-Z]{2,10}:")
_TIME: Final = r"(?:[T ;,]+(?P<time>.*))?"
_ISO: Final = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}")
_COMPACT: Final = re.compile(rf"((?:19|20)\d{{2}})(\d{{2}})(\d{{2}}){_TIME}")
_PARTS: Final = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?")
_NAMED: Final = re.compile(
    r"(?:(?P<month>[a-z]{3,9})\.?[ \-]+(?P<day>\d{1,2})|"
    r"(?P<day2>\d{1,2})[ \-]+(?P<month2>[a-z]{3,9})\.?)[ \-]+(?P<year>\d{4}|\d{2})"
    rf"{_TIME}",
    re.IGNORECASE,
)
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?[,. ]+", re.IGNORECASE
)
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_ZONED: Final = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SERIALS: Final = range(20_000, 80_000)
"""Days that a spreadsheet's number may mean: 1954 to 2119."""

EPOCH: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
"""Day 0 of spreadsheets, unless the workbook says 1904."""


class NotRead(ValueError):
    """A cell that is not what its column says; the text is for people."""


def symbol_of(cell: object) -> str:
    """Return a cell's symbol: upper case, without `$` or an `EXCHANGE:` before it.

    Raises
    ------
    NotRead
        Nothing there, an error of the spreadsheet, an option, a sum.
    """
    if isinstance(cell, bool):
        # Spreadsheets take the ticker TRUE for a truth.
        return str(cell).upper()
    text = "" if cell is None else str(cell).strip().upper()
    if not text:
        raise NotRead("no symbol")
    if text.startswith("#"):
        raise NotRead(f"the symbol is an error of the spreadsheet: {text}")
    bare = _EXCHANGE.sub("", text.removeprefix("$")).strip().replace("/", ".")
    if not SYMBOL.fullmatch(bare):
        raise NotRead(f"not the symbol of a stock: {_short(text)}")
    return bare


def day_of(cell: object, *, day_first: bool = False, epoch: dt.datetime = EPOCH) -> dt.date:
    """Return the New York day that a cell names.

    Parameters
    ----------
    cell : object
        A date, a spreadsheet's serial number, or text: ISO, month/day/year, month names. A time
        behind it is ignored, unless it has a zone: then it is turned into New York's.
    day_first : bool
        Read 3/4/2025 as the third of April. Dates with dots are always read so.
    epoch : datetime.datetime
        Day 0 of serial numbers.

    Raises
    ------
    NotRead
        Nothing there, or no date.
    """
    if isinstance(cell, dt.datetime):
        return cell.astimezone(NEW_YORK).date() if cell.tzinfo else cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, dt.time):
        raise NotRead("a time of day without its date")
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _serial(float(cell), cell, epoch)
    text = "" if cell is None else str(cell).strip()
    if not text:
        raise NotRead("no date")
    if text.startswith("#"):
        raise NotRead(f"the date is an error of the spreadsheet: {text}")
    return _text(text, day_first, epoch)


@lru_cache(maxsize=4096)
def _text(text: str, day_first: bool, epoch: dt.datetime) -> dt.date:
    bare = _ORDINAL.sub("", _WEEKDAY.sub("", text)).strip()
    for pattern in (_ISO, _COMPACT):
        if found := pattern.fullmatch(bare):
            return _in_new_york(_day(text, *found.group(1, 2, 3)), found["time"], text)
    if found := _PARTS.fullmatch(bare):
        first, mark, second, year = found.group(1, 2, 3, 4)
        return _in_new_york(_parts(text, first, second, year, mark, day_first), found["time"], text)
    if _SERIAL.fullmatch(bare):
        return _serial(float(bare), bare, epoch)
    if found := _NAMED.fullmatch(bare.replace(",", " ").replace("  ", " ")):
        month = _month(found["month"] or found["month2"], text)
        day = found["day"] or found["day2"]
        return _day(text, _century(found["year"]), str(month), day)
    raise NotRead(f"no date that can be read: {_short(text)}")


def _parts(text: str, first: str, second: str, year: str, mark: str, day_first: bool) -> dt.date:
    by_day = day_first or mark == "."
    day, month = (first, second) if by_day else (second, first)
    if int(month) > 12 and int(day) <= 12:
        order = "day first" if by_day else "month first"
        other = "false" if by_day else "true"
        hint = "" if mark == "." else f"; is backfill.day_first={other} meant?"
        raise NotRead(f"read with the {order}, {_short(text)} has no such month{hint}")
    return _day(text, _century(year), month, day)


def _day(text: str, year: str, month: str, day: str) -> dt.date:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise NotRead(f"no day of the calendar: {_short(text)}") from None


def _century(year: str) -> str:
    """Return four digits; two of them mean 1970 to 2069."""
    if len(year) == 4:
        return year
    return f"20{year}" if int(year) < 70 else f"19{year}"


def _month(word: str, text: str) -> int:
    name = "sep" if word.lower() == "sept" else word.lower()
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name):
            return number
    raise NotRead(f"no date that can be read: {_short(text)}")


def _in_new_york(day: dt.date, time: str | None, text: str) -> dt.date:
    """Move a day by its time's zone, where it has one."""
    if not time or not _ZONED.search(time.strip()):
        return day
    try:
        clock = dt.time.fromisoformat(time.strip())
    except ValueError:
        raise NotRead(f"no time that can be read: {_short(text)}") from None
    return dt.datetime.combine(day, clock).astimezone(NEW_YORK).date()


def _serial(days: float, cell: object, epoch: dt.datetime) -> dt.date:
    if not math.isfinite(days) or int(days) not in _SERIALS:
        raise NotRead(f"no date that can be read: {_short(str(cell))}")
    return (epoch + dt.timedelta(days=int(days))).date()


def _short(text: str) -> str:
    shown = text.replace("\n", " ")
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")
