"""Databento as a source."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np

from tradingd.config.secrets import resolve
from tradingd.config.source import DatabentoSource as DatabentoConfig
from tradingd.domain.market import CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.sources.databento import parsing
from tradingd.sources.databento.client import DatabentoClient
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.source import RemoteSource
from tradingd.sources.remote.values import instant
from tradingd.sources.remote.vendor import Fetched
from tradingd.vendors.databento.historical import Request

_SCHEMAS: Final = {
    Resolution.MINUTE: "ohlcv-1m",
    Resolution.HOUR: "ohlcv-1h",
    Resolution.DAY: "ohlcv-1d",
}

# The first has the consolidated official day, the second trades of several venues with quotes.
_DAILY: Final = "EQUS.SUMMARY"
_INTRADAY: Final = "EQUS.MINI"


class DatabentoVendor:
    """Implements `remote.vendor.Vendor`."""

    name = "databento"
    resolutions = tuple(_SCHEMAS)
    knows_actions = False

    def __init__(self, config: DatabentoConfig, calendar: SessionCalendar) -> None:
        self._config = config
        self._calendar = calendar
        self._client: DatabentoClient | None = None

    @property
    def key(self) -> str:
        """Reference of the API key."""
        return self._config.key

    def bars(self, symbol: str, resolution: Resolution, first: dt.date, last: dt.date) -> Fetched:
        """Return bars; see `Vendor.bars`."""
        client = self._connected()
        dataset = self._config.dataset or (_DAILY if resolution is Resolution.DAY else _INTRADAY)
        schema = _SCHEMAS[resolution]
        start, end = _span(resolution, first, last)
        end = min(end, instant(_with_zone(client.available_end(dataset, schema))))
        if end <= start:
            return parsing.fetched(np.zeros(0), resolution, self._calendar)
        request = Request(dataset=dataset, schema=schema, symbol=symbol, start_ns=start, end_ns=end)
        return parsing.fetched(client.bars(request), resolution, self._calendar)

    def actions(self, symbol: str, first: dt.date, last: dt.date) -> Sequence[CorporateAction]:
        """Return nothing: they are another product of Databento's."""
        return ()

    def _connected(self) -> DatabentoClient:
        if self._client is None:
            config = self._config
            self._client = DatabentoClient(
                resolve(config.key),
                endpoint=config.endpoint,
                timeout=config.timeout,
                calls=Calls(per_minute=config.requests_per_minute, tries=config.tries),
                limit=config.spending_limit,
            )
        return self._client


def _span(resolution: Resolution, first: dt.date, last: dt.date) -> tuple[int, int]:
    """Return the UTC nanoseconds to ask for: UTC days of daily bars, else New York days."""
    following = last + dt.timedelta(days=1)
    if resolution is Resolution.DAY:
        return instant(f"{first}T00:00:00Z"), instant(f"{following}T00:00:00Z")
    return local_midnight_ns(first), local_midnight_ns(following)


def _with_zone(text: str) -> str:
    """Cut nanoseconds that Python's clock cannot hold; a time without a zone is UTC."""
    whole = text.replace("Z", "").split("+")[0]
    return f"{whole[:26]}+00:00"


def make(config: DatabentoConfig) -> RemoteSource:
    """Return the source; it touches nothing until asked."""
    calendar = SessionCalendar()
    return RemoteSource(config, DatabentoVendor(config, calendar), calendar)
