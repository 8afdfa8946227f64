"""Pages of an answer: symbols in order, at most so many rows, a token to go on from."""

import base64
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tradingd.simalpaca.marketdata import times
from tradingd.simalpaca.marketdata.errors import ApiError
from tradingd.simalpaca.marketdata.history import Span


class Place(NamedTuple):
    """The last row of a page: its symbol, its time, and how many rows of that instant were sent."""

    symbol: str
    ts: int
    sent: int

    def token(self) -> str:
        """Return the token of this place."""
        plain = f"{self.symbol}|{times.text(self.ts)}|{self.sent}"
        return base64.urlsafe_b64encode(plain.encode()).decode()


def place(token: str) -> Place:
    """Read a token.

    Raises
    ------
    ApiError
        When it is not one of ours.
    """
    try:
        symbol, ts, sent = base64.urlsafe_b64decode(token).decode().split("|")
        return Place(symbol, times.parse(ts), int(sent))
    except (ValueError, OverflowError) as error:
        raise ApiError(400, "invalid page_token") from error


class Rows[Row](NamedTuple):
    """How to read rows of a symbol: within a span, and whether more may follow; a row's time."""

    read: Callable[[str, Span], tuple[list[Row], bool]]
    time: Callable[[Row], int]


def page[Row](
    symbols: Sequence[str], span: Span, rows: Rows[Row], token: str
) -> tuple[dict[str, list[Row]], str | None]:
    """Return one page of rows by symbol, and the token of the next page if there is one."""
    last = place(token) if token else None
    left = span.limit
    found: dict[str, list[Row]] = {}
    for symbol in sorted(set(symbols)):
        if last is not None and symbol < last.symbol:
            continue
        here = last if last is not None and symbol == last.symbol else None
        wanted, skipped = _resumed(span, here)
        # One row more than fits tells whether there is a next page.
        read, more = rows.read(symbol, wanted._replace(limit=left + skipped + 1))
        if here is not None:
            read = [one for one in read[:skipped] if rows.time(one) != here.ts] + read[skipped:]
        if read[:left]:
            found[symbol] = read[:left]
            last = _reached(symbol, found[symbol], rows.time, here)
        if last is not None and (more or len(read) > left):
            return found, last.token()
        left -= len(found.get(symbol, ()))
    return found, None


def _resumed(span: Span, here: Place | None) -> tuple[Span, int]:
    """Return the span from a place on, and how many of its first rows were sent before."""
    if here is None:
        return span, 0
    if span.newest:
        return span._replace(end=min(span.end, here.ts)), here.sent
    return span._replace(start=max(span.start, here.ts)), here.sent


def _reached[Row](
    symbol: str, sent: Sequence[Row], time: Callable[[Row], int], before: Place | None
) -> Place:
    ts = time(sent[-1])
    same = sum(1 for one in sent if time(one) == ts)
    if before is not None and before.ts == ts:
        same += before.sent
    return Place(symbol, ts, same)
