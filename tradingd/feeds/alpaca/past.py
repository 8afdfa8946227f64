"""Bars of before by REST: gaps, warm-up, prices for the tick, corporate actions; calls block."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.domain.money import SCALE
from tradingd.feeds.alpaca.days import Days
from tradingd.feeds.alpaca.hours import Hours
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.vendors.alpaca.actions import LATE_DAYS, actions_of
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.values import Unreadable, bar_of, price, sound

_MINUTE: Final = Resolution.MINUTE.nanoseconds
_DAY: Final = Resolution.DAY.nanoseconds
_SPARE: Final = 2
"""Days of warm-up are asked for this many times over, since symbols have gaps."""

_FIRST_DAY: Final = dt.date(2000, 1, 1)
_BACK_DAYS: Final = 30

CENT: Final = SCALE // 100
SUB_PENNY: Final = SCALE // 10_000


class Past:
    """What a feed asks by REST; every method blocks, so it is called on the feed's thread.

    Parameters
    ----------
    client : DataClient
    symbols : sequence of str
    feed : str
        Of the history: ``iex`` or ``sip``.
    calendar : SessionCalendar
    extended : bool
        Also minutes outside its sessions.
    """

    def __init__(
        self,
        client: DataClient,
        symbols: Sequence[str],
        feed: str,
        calendar: SessionCalendar,
        *,
        extended: bool = False,
    ) -> None:
        self.garbage = 0
        self._client = client
        self._symbols = list(symbols)
        self._feed = feed
        self._calendar = calendar
        self._extended = extended
        self._days = Days(calendar, after=0, grace=0.0)

    def minutes(self, after: int, until: int | None) -> list[tuple[int, MarketBar]]:
        """Return (close, bar) of minutes that close after a time, in no particular order.

        Parameters
        ----------
        after : int
            UTC ns.
        until : int or None
            Last close, UTC ns; None: what the server knows.
        """
        end = None if until is None else until - _MINUTE
        if end is not None and end < after:
            return []
        rows = self._rows("1Min", after, end)
        closes = ((start + _MINUTE, bar) for start, bar in rows)
        return [(close, bar) for close, bar in closes if close > after and self._regular(close)]

    def days(self, after: int, until: int | None) -> list[tuple[int, MarketBar]]:
        """Return (start, bar) of days whose session closes after a time and up to another."""
        if until is not None and until <= after:
            return []
        found = []
        for start, bar in self._rows("1Day", max(0, after - _DAY), until):
            session = self._days.session_of(start)
            if session is None or session.close_ns <= after:
                continue
            if until is None or session.close_ns <= until:
                found.append((start, bar))
        return found

    def batches(self, before: int, bars: int, resolution: Resolution) -> Sequence[Batch]:
        """Return up to `bars` batches that close at or before a time, in order."""
        near = self._batches(before, self._start_of(before, bars, resolution), resolution)
        return near[-bars:]

    def known(self) -> set[str]:
        """Return the symbols of which Alpaca has ever seen a trade on this feed."""
        return set(self._client.latest("trades", self._symbols, feed=self._feed))

    def instruments(self) -> list[Instrument]:
        """Return the facts of every symbol: the tick is a cent, a hundredth of it below a dollar.

        Source: Regulation NMS rule 612 and Alpaca's order rules (sub-penny increments).
        """
        latest = self._client.latest("bars", self._symbols, feed=self._feed)
        return [
            Instrument(symbol=name, tick=_tick(latest.get(name, {}).get("c")))
            for name in self._symbols
        ]

    def actions(self, today: dt.date | None) -> Sequence[CorporateAction]:
        """Return what was of late and what is announced; everything there is without a day."""
        first = _FIRST_DAY if today is None else today - dt.timedelta(days=_BACK_DAYS)
        last = (today or dt.date(2100, 1, 1)) + dt.timedelta(days=LATE_DAYS)
        pages = self._client.corporate_actions(self._symbols, start=first, end=last)
        return actions_of(pages, first=first, last=last)[0]

    # -- private ---------------------------------------------------------------------------------

    def _rows(self, timeframe: str, start: int, end: int | None) -> Iterator[tuple[int, MarketBar]]:
        for page in self._client.bars(
            self._symbols, timeframe, start=start, end=end, feed=self._feed
        ):
            for symbol, rows in page.items():
                for row in rows:
                    try:
                        begins, bar = bar_of(symbol, row)
                    except Unreadable:
                        self.garbage += 1
                        continue
                    if sound(bar):
                        yield begins, bar
                    else:
                        self.garbage += 1

    def _regular(self, close: int) -> bool:
        return self._extended or self._calendar.at(close) is not None

    def _batches(self, before: int, after: int, resolution: Resolution) -> list[Batch]:
        if resolution is Resolution.DAY:
            days: list[tuple[int, MarketBar]] = []
            for start, bar in self.days(after, before):
                session = self._days.session_of(start)
                assert session is not None  # `days` left the others out
                days.append((session.close_ns, bar))
            return grouped(days)
        minutes = grouped(self.minutes(after, before))
        if resolution is Resolution.MINUTE:
            return minutes
        return hours_of(minutes, before, self._calendar)

    def _start_of(self, before: int, bars: int, resolution: Resolution) -> int:
        """Return a time that lies far enough back for that many batches."""
        sessions = self._calendar.between(_FIRST_DAY, local_date(before))
        if not sessions:
            return before
        a_session = 1 if resolution is Resolution.DAY else 0
        length = sessions[-1].close_ns - sessions[-1].open_ns
        a_session = a_session or max(1, length // resolution.nanoseconds)
        wanted = _SPARE * (bars // a_session + 2)
        return sessions[-min(wanted, len(sessions))].open_ns


def grouped(bars: Iterable[tuple[int, MarketBar]]) -> list[Batch]:
    """Return batches by close, in order, symbols sorted, each once."""
    found: dict[int, dict[str, MarketBar]] = {}
    for close, bar in bars:
        found.setdefault(close, {}).setdefault(bar.symbol, bar)
    return [
        Batch(close, tuple(bars[name] for name in sorted(bars)))
        for close, bars in sorted(found.items())
    ]


def hours_of(minutes: Iterable[Batch], until: int, calendar: SessionCalendar) -> list[Batch]:
    """Return the hours of minutes that are over at a time, in order."""
    hours = Hours(calendar)
    whole = [hour for minute in minutes for hour in hours.add(minute)]
    return whole + hours.through(until)


def _tick(close: object) -> int:
    try:
        return CENT if price(close) >= SCALE else SUB_PENNY
    except Unreadable:
        return CENT
