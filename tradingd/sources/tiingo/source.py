"""Tiingo as a source."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from tradingd.config.secrets import resolve
from tradingd.config.source import TiingoSource as TiingoConfig
from tradingd.domain.market import CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.source import RemoteSource
from tradingd.sources.remote.vendor import Fetched
from tradingd.sources.tiingo import parsing
from tradingd.sources.tiingo.client import TiingoClient

_FREQUENCIES: Final = {Resolution.MINUTE: "1min", Resolution.HOUR: "1hour"}

_DAYS_A_REQUEST: Final = {Resolution.MINUTE: 20, Resolution.HOUR: 1_000}
"""Calendar days per IEX request: Tiingo cuts answers at 10,000 rows without a word."""


class TiingoVendor:
    """Implements `remote.vendor.Vendor`."""

    name = "tiingo"
    resolutions = (Resolution.MINUTE, Resolution.HOUR, Resolution.DAY)
    knows_actions = True

    def __init__(self, config: TiingoConfig, calendar: SessionCalendar) -> None:
        self._config = config
        self._calendar = calendar
        self._client: TiingoClient | None = None
        # Prices and actions come in one answer: the last one is kept for the second question.
        self._asked: tuple[str, dt.date, dt.date] | None = None
        self._answer: list[parsing.Row] = []

    @property
    def key(self) -> str:
        """Reference of the API token."""
        return self._config.key

    def bars(self, symbol: str, resolution: Resolution, first: dt.date, last: dt.date) -> Fetched:
        """Return bars; see `Vendor.bars`."""
        if resolution is Resolution.DAY:
            found = self._daily(symbol, first, last)
            return Fetched(bars=parsing.daily_bars(found, self._calendar))
        found = [
            row
            for start, end in _pieces(first, last, _DAYS_A_REQUEST[resolution])
            for row in parsing.rows(
                self._connected().prices(ticker(symbol), _FREQUENCIES[resolution], start, end)
            )
        ]
        return Fetched(bars=parsing.intraday_bars(found, resolution))

    def actions(self, symbol: str, first: dt.date, last: dt.date) -> Sequence[CorporateAction]:
        """Return splits and dividends; see `Vendor.actions`."""
        return list(parsing.actions(symbol, self._daily(symbol, first, last)))

    def _daily(self, symbol: str, first: dt.date, last: dt.date) -> list[parsing.Row]:
        if self._asked != (symbol, first, last):
            text = self._connected().prices(ticker(symbol), "daily", first, last)
            self._answer, self._asked = parsing.rows(text), (symbol, first, last)
        return self._answer

    def _connected(self) -> TiingoClient:
        if self._client is None:
            config = self._config
            self._client = TiingoClient(
                resolve(config.key),
                endpoint=config.endpoint,
                timeout=config.timeout,
                calls=Calls(per_minute=config.requests_per_minute, tries=config.tries),
            )
        return self._client


def ticker(symbol: str) -> str:
    """Return Tiingo's spelling: share classes with a dash (BRK-B)."""
    return symbol.replace(".", "-")


def _pieces(first: dt.date, last: dt.date, days: int) -> Iterator[tuple[dt.date, dt.date]]:
    while first <= last:
        end = min(last, first + dt.timedelta(days=days - 1))
        yield first, end
        first = end + dt.timedelta(days=1)


def make(config: TiingoConfig) -> RemoteSource:
    """Return the source; it touches nothing until asked."""
    calendar = SessionCalendar()
    return RemoteSource(config, TiingoVendor(config, calendar), calendar)
