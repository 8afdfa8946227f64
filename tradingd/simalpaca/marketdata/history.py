"""Bars, quotes and trades of one symbol as they were known at a time.

Stored rows and rows that were told by the market are one series. Nothing that happened after
`Moment.known` is ever returned. All calls block: they belong to the worker thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata import derive
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.splits import Splits
from tradingd.simalpaca.marketdata.store import (
    Store,
    StoredAction,
    StoredBar,
    StoredQuote,
    StoredTrade,
)
from tradingd.simalpaca.marketdata.timeframe import Timeframe, Unit
from tradingd.simalpaca.marketdata.times import DAY, EARLIEST, HOUR, MINUTE, midnight, new_york_date
from tradingd.simbroker.matching import Spread

_EVER: Final = 2**62
_MOST_ROWS: Final = 450_000
_ONE_DAY: Final = Timeframe(1, Unit.DAY)
_LENGTHS: Final = {"1m": MINUTE, "1h": HOUR}


class Moment(NamedTuple):
    """What is known at a time: the time, and the bars told so far by symbol, in time order."""

    known: int
    told: Mapping[str, Sequence[StoredBar]] = {}


class Span(NamedTuple):
    """A range of a request: both ends inclusive, at most `limit` rows, oldest or newest first."""

    start: int
    end: int
    limit: int
    newest: bool = False


class History:
    """Market data of the past.

    Parameters
    ----------
    store : Store or None
        Stored rows; None: only what is told.
    resolution : str
        Of the bars that are told: ``1m`` or ``1d``.
    around : Spread
        Between derived bids and asks.
    announced_days : int
        How long before it takes effect a corporate action is known.
    """

    def __init__(
        self, store: Store | None, resolution: str, around: Spread, announced_days: int
    ) -> None:
        self._store = store
        self._resolution = resolution
        self._around = around
        self._announced = announced_days * DAY

    def bars(
        self, symbol: str, frame: Timeframe, span: Span, at: Moment, *, split: bool = False
    ) -> tuple[list[AlpacaBar], bool]:
        """Return bars that begin within the span, and whether more may follow.

        A bar that is not over yet is made of what is known of it.
        """
        base = self._base(symbol, frame, at)
        parts = _parts(frame, base)
        most = min((span.limit + 2) * parts, _MOST_ROWS)
        first = frame.start(span.start)
        last = frame.start(span.end) + frame.longest
        rows = self._rows(symbol, base, Span(first + 1, last, most, span.newest), at)
        if split:
            rows = self._split(symbol, base, rows, at)
        buckets: dict[int, list[StoredBar]] = {}
        for row in rows:
            buckets.setdefault(frame.start(_start(row, base)), []).append(row)
        cut = len(rows) >= most and parts > 1
        if cut and len(buckets) > 1:
            buckets.popitem()
        made = [
            derive.combined(start, parts[::-1] if span.newest else parts)
            for start, parts in buckets.items()
            if span.start <= start <= span.end
        ]
        return made[: span.limit], cut or len(made) > span.limit

    def quotes(self, symbol: str, span: Span, at: Moment) -> list[StoredQuote]:
        """Return quotes: stored ones where there are any, else one per bar."""
        end = min(span.end, at.known)
        if self._store is not None and self._store.has("quotes", symbol):
            return self._store.quotes(symbol, span.start, end, span.limit, newest=span.newest)
        rows = self._rows(symbol, self._finest(symbol, at), span, at)
        return [derive.quote(row, self._around) for row in rows]

    def trades(self, symbol: str, span: Span, at: Moment) -> list[StoredTrade]:
        """Return trades: stored ones where there are any, else one per bar."""
        end = min(span.end, at.known)
        if self._store is not None and self._store.has("trades", symbol):
            return self._store.trades(symbol, span.start, end, span.limit, newest=span.newest)
        rows = self._rows(symbol, self._finest(symbol, at), span, at)
        return [derive.trade(row) for row in rows]

    def latest_bar(self, symbol: str, at: Moment) -> AlpacaBar | None:
        """Return the last whole bar: of a minute, of a day where there are no minutes."""
        base = self._finest(symbol, at)
        rows = self._newest(symbol, base, at)
        return derive.combined(_start(rows[0], base), rows) if rows else None

    def latest_quote(self, symbol: str, at: Moment) -> StoredQuote | None:
        """Return the last quote."""
        return next(iter(self.quotes(symbol, Span(-_EVER, at.known, 1, newest=True), at)), None)

    def latest_trade(self, symbol: str, at: Moment) -> StoredTrade | None:
        """Return the last trade."""
        return next(iter(self.trades(symbol, Span(-_EVER, at.known, 1, newest=True), at)), None)

    def last_days(self, symbol: str, at: Moment) -> list[AlpacaBar]:
        """Return the day bar of the last day and of the one before, newest first."""
        span = Span(EARLIEST, at.known, 2, newest=True)
        return self.bars(symbol, _ONE_DAY, span, at)[0]

    def actions(self, at: Moment) -> list[StoredAction]:
        """Return the corporate actions that are known: also announced ones, by ex-date."""
        if self._store is None:
            return []
        last = at.known + self._announced
        return [one for one in self._store.actions() if one.effective <= last]

    def _newest(self, symbol: str, base: str, at: Moment) -> list[StoredBar]:
        told = at.told.get(symbol, ())
        if base == self._resolution and told and told[-1].close_ts == at.known:
            return [told[-1]]
        return self._rows(symbol, base, Span(-_EVER, at.known, 1, newest=True), at)

    def _base(self, symbol: str, frame: Timeframe, at: Moment) -> str:
        """Return the stored resolution that bars of a length are made of."""
        wanted: tuple[str, ...] = ("1m",) if frame.unit is Unit.MINUTE else ("1m", "1h")
        order = wanted if frame.intraday else ("1d", *wanted)
        return next((one for one in order if self._has(symbol, one, at)), order[0])

    def _finest(self, symbol: str, at: Moment) -> str:
        order = ("1m", "1h", "1d")
        return next((one for one in order if self._has(symbol, one, at)), "1m")

    def _has(self, symbol: str, resolution: str, at: Moment) -> bool:
        if resolution == self._resolution and at.told.get(symbol):
            return True
        return self._store is not None and bool(
            self._store.catalog.bars(symbol, resolution, -_EVER, _EVER)
        )

    def _rows(self, symbol: str, base: str, span: Span, at: Moment) -> list[StoredBar]:
        """Return base bars whose close lies in the span."""
        end = min(span.end, at.known)
        found = dict[int, StoredBar]()
        if self._store is not None:
            stored = self._store.bars(symbol, base, span.start, end, span.limit, newest=span.newest)
            found.update((row.close_ts, row) for row in stored)
        if base == self._resolution:
            told = at.told.get(symbol, ())
            found.update((row.close_ts, row) for row in told if span.start <= row.close_ts <= end)
        if base == "1d":
            found.update(self._unfinished(symbol, span, at, found))
        order = sorted(found, reverse=span.newest)
        return [found[ts] for ts in order[: span.limit]]

    def _unfinished(
        self, symbol: str, span: Span, at: Moment, days: Mapping[int, StoredBar]
    ) -> dict[int, StoredBar]:
        """Return the day of `at`, of its minutes so far, unless its bar is there already."""
        first = midnight(new_york_date(at.known))
        if not first < at.known <= span.end or any(close > first for close in days):
            return {}
        if not self._has(symbol, "1m", at):
            return {}
        minutes = self._rows(symbol, "1m", Span(first + 1, at.known, 1_440), at)
        if not minutes or minutes[-1].close_ts < span.start:
            return {}
        day = derive.combined(first, minutes)
        close = minutes[-1].close_ts
        return {close: StoredBar(close, day.open, day.high, day.low, day.close, day.volume)}

    def _split(
        self, symbol: str, base: str, rows: Iterable[StoredBar], at: Moment
    ) -> list[StoredBar]:
        if self._store is None or self._store.adjusted(symbol, base):
            return list(rows)
        known = [one for one in self.actions(at) if one.effective <= at.known]
        splits = Splits([one for one in known if one.symbol == symbol])
        return [splits.apply(row) for row in rows]


def _start(row: StoredBar, base: str) -> int:
    """Return where a base bar begins; a day begins at New York midnight."""
    if base == "1d":
        return midnight(new_york_date(row.close_ts - 1))
    return row.close_ts - _LENGTHS[base]


def _parts(frame: Timeframe, base: str) -> int:
    """Return the most base bars that one bar can have."""
    if base == "1d":
        return frame.days
    minutes = {Unit.MINUTE: frame.number, Unit.HOUR: 60 * frame.number}.get(
        frame.unit, 1_440 * frame.days
    )
    return minutes if base == "1m" else max(1, minutes // 60)
