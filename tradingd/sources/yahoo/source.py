"""Yahoo as a source."""

import datetime as dt
from collections.abc import Sequence

from tradingd.config.source import YahooSource as YahooConfig
from tradingd.domain.market import CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.source import RemoteSource
from tradingd.sources.remote.vendor import Fetched
from tradingd.sources.yahoo import parsing
from tradingd.sources.yahoo.client import Day, YahooClient


class YahooVendor:
    """Implements `remote.vendor.Vendor`."""

    name = "yahoo"
    resolutions = (Resolution.DAY,)
    knows_actions = True
    key = ""

    def __init__(self, config: YahooConfig, calendar: SessionCalendar) -> None:
        self._config = config
        self._calendar = calendar
        self._client: YahooClient | None = None
        # Prices and actions come in one answer: the last one is kept for the second question.
        self._asked: tuple[str, dt.date] | None = None
        self._answer: list[Day] = []

    def bars(self, symbol: str, resolution: Resolution, first: dt.date, last: dt.date) -> Fetched:
        """Return bars; see `Vendor.bars`."""
        return parsing.fetched(self._daily(symbol, first), last, self._calendar)

    def actions(self, symbol: str, first: dt.date, last: dt.date) -> Sequence[CorporateAction]:
        """Return splits and dividends; see `Vendor.actions`."""
        return list(parsing.actions(symbol, self._daily(symbol, first), first, last))

    def _daily(self, symbol: str, first: dt.date) -> list[Day]:
        if self._asked != (symbol, first):
            if self._client is None:
                config = self._config
                self._client = YahooClient(
                    endpoint=config.endpoint,
                    timeout=config.timeout,
                    calls=Calls(per_minute=config.requests_per_minute, tries=config.tries),
                )
            self._answer = self._client.daily(symbol.replace(".", "-"), first)
            self._asked = (symbol, first)
        return self._answer


def make(config: YahooConfig) -> RemoteSource:
    """Return the source; it touches nothing until asked."""
    calendar = SessionCalendar()
    return RemoteSource(config, YahooVendor(config, calendar), calendar)
