"""What a REST request asks for: its parameters, checked as Alpaca checks them."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata import timeframe, times
from tradingd.simalpaca.marketdata.errors import ApiError
from tradingd.simalpaca.marketdata.history import Span
from tradingd.simalpaca.marketdata.timeframe import Timeframe

HISTORIC_FEEDS: Final = ("iex", "otc", "sip", "boats")
LATEST_FEEDS: Final = ("delayed_sip", "iex", "otc", "sip", "boats", "overnight")
STORED_FEEDS: Final = ("iex", "sip", "delayed_sip")
"""Feeds that have the store's data; the others are known and empty."""

_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,19}", re.ASCII)
_LATEST: Final = times.midnight(dt.date(2200, 1, 1))
_MOST_ROWS: Final = 10_000

type Params = Mapping[str, str]


class RowsQuery(NamedTuple):
    """A request for rows of a range: bars, quotes or trades."""

    span: Span
    token: str
    feed: str


def symbols(text: str | None) -> list[str]:
    """Read a comma-separated list of symbols."""
    names = [name for name in (text or "").split(",") if name]
    if not names:
        raise ApiError(400, "symbols is required")
    return [symbol(name) for name in names]


def symbol(name: str) -> str:
    """Check one symbol."""
    if not _SYMBOL.fullmatch(name):
        raise ApiError(400, f"invalid symbol: {name}")
    return name


def rows(params: Params, known: int) -> RowsQuery:
    """Read the parameters that bars, quotes and trades have in common.

    Parameters
    ----------
    params : Mapping
        Of the query string.
    known : int
        Data time, UTC ns: the default end, and today for the default start.
    """
    check_common(params)
    start = moment(params, "start", times.midnight(times.new_york_date(known)))
    end = moment(params, "end", known)
    if start > end and "end" in params:
        raise ApiError(400, "end should not be before start")
    limit = whole(params, "limit", 1_000, _MOST_ROWS)
    newest = one_of(params, "sort", ("asc", "desc"), "asc") == "desc"
    feed = one_of(params, "feed", HISTORIC_FEEDS, "sip")
    return RowsQuery(Span(start, end, limit, newest), params.get("page_token", ""), feed)


def latest_feed(params: Params) -> str:
    """Read the parameters of a request for what is latest; return its feed."""
    check_common(params)
    return one_of(params, "feed", LATEST_FEEDS, "sip")


def check_common(params: Params) -> None:
    """Check what is accepted and changes nothing here."""
    if params.get("currency", "USD") != "USD":
        raise ApiError(400, f"invalid currency: {params['currency']}; only USD is served")
    if params.get("asof", "-") != "-":
        day(params, "asof", dt.date.min)


def frame(params: Params) -> Timeframe:
    """Read the length of bars."""
    if "timeframe" not in params:
        raise ApiError(400, "timeframe is required")
    try:
        return timeframe.parse(params["timeframe"])
    except ValueError as error:
        raise ApiError(400, str(error)) from error


def split_adjusted(params: Params) -> bool:
    """Read the adjustment of bars; only splits can be adjusted for."""
    wanted = {part.strip() for part in params.get("adjustment", "raw").split(",")}
    for part in wanted - {"raw", "split"}:
        if part in ("dividend", "spin-off", "all"):
            raise ApiError(400, f"adjustment {part} is not served here; use raw or split")
        raise ApiError(400, f"invalid adjustment: {part}")
    return "split" in wanted


def moment(params: Params, name: str, default: int) -> int:
    """Read a time: RFC 3339, or a day as its New York midnight."""
    return max(times.EARLIEST, min(_LATEST, _read(params, name, times.parse, default)))


def day(params: Params, name: str, default: dt.date) -> dt.date:
    """Read a date."""
    return _read(params, name, dt.date.fromisoformat, default)


def whole(params: Params, name: str, default: int, most: int) -> int:
    """Read a whole number from 1 to `most`."""
    number = _read(params, name, int, default)
    if not 1 <= number <= most:
        raise ApiError(400, f"invalid {name}: {number}; from 1 to {most}")
    return number


def one_of(params: Params, name: str, words: Collection[str], default: str) -> str:
    """Read one of some words."""
    word = params.get(name, default)
    if word not in words:
        raise ApiError(400, f"invalid {name}: {word}")
    return word


def _read[T](params: Params, name: str, read: Callable[[str], T], default: T) -> T:
    if name not in params:
        return default
    try:
        return read(params[name])
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"invalid {name}: {params[name]}") from error
